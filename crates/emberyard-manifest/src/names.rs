//! What the parts of a notebook are called.

use emberyard_model::NamespaceName;

/// The door's page that tells the operator which contexts run.
pub const SESSION_PATH: &str = "/emberyard/session";
/// Spark's label with the application's id, on all that an application makes.
pub const SPARK_APP_LABEL: &str = "spark-app-selector";
/// Spark's label that tells `driver` from `executor`.
pub const SPARK_ROLE_LABEL: &str = "spark-role";

/// Port of the driver's RPC, as the tutorial writes it.
pub(crate) const DRIVER_PORT: u16 = 29413;
/// Port of the Spark UI and of the service in front of its door.
pub(crate) const UI_PORT: u16 = 4040;

/// Whether services can be called after a name: a DNS label that begins with a letter (DNS-1035) and leaves room for what
/// follows it. Says why not.
pub(crate) fn names_services(name: &str, longest: usize) -> Result<(), String> {
    // A namespace's name obeys the same rule but for its first letter: DNS-1123 label.
    NamespaceName::new(name).map_err(|error| error.to_string())?;
    if name.len() > longest {
        return Err(format!("it has {} characters, {longest} are possible", name.len()));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it begins with a digit".to_owned());
    }
    Ok(())
}

/// Names of the objects of one notebook.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a>(pub &'a str);

impl Names<'_> {
    /// The only pod. Stable, because executors are told of it as their owner.
    pub fn pod(&self) -> String {
        format!("{}-0", self.0)
    }

    /// The volume at home.
    pub fn home(&self) -> String {
        format!("{}-home", self.0)
    }

    /// The secret with the token, unless the spec names another.
    pub fn token(&self) -> String {
        format!("{}-token", self.0)
    }

    /// The ConfigMap with everything that is mounted.
    pub fn config(&self) -> String {
        format!("{}-spark", self.0)
    }

    /// The secret with the ways to the outside.
    pub fn outside(&self) -> String {
        format!("{}-outside", self.0)
    }

    /// The headless service by which executors find the driver.
    pub fn driver_service(&self) -> String {
        format!("{}-spark-driver", self.0)
    }

    /// The service of the Spark UI.
    pub fn ui_service(&self) -> String {
        format!("{}-spark-ui", self.0)
    }
}
