//! What the parts of a notebook are called.

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
