//! Spec and settings to a [`Session`]: every default settled, every text checked.

use crate::error::InvalidNotebook;
use crate::names::{Names, names_services};
use crate::settings::{Outside, SessionSettings};
use crate::sizing::Sizes;
use emberyard_model::notebook::base_path;
use emberyard_model::{NotebookSpec, Quantity};
use std::collections::BTreeMap;

/// Which notebook it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, for owner references.
    pub uid: String,
}

/// A notebook whose every default is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which notebook it is.
    pub identity: Identity,
    /// Image of the pod.
    pub image: String,
    /// Image of the executors.
    pub executor_image: String,
    /// CPU request.
    pub cpu: Quantity,
    /// Memory request.
    pub memory: Quantity,
    /// Executors where nobody says otherwise.
    pub sizes: Sizes,
    /// Size of the home volume.
    pub home_size: Quantity,
    /// Storage class of the home volume; none: the cluster's default.
    pub storage_class: Option<String>,
    /// The user's folder, shown at its own path.
    pub folder: Option<String>,
    /// Secret with the token.
    pub token_secret: String,
    /// Whether the token's secret is ours to make.
    pub makes_token: bool,
    /// Further Spark defaults.
    pub spark_defaults: BTreeMap<String, String>,
    /// Kernels start their Spark driver's JVM before they are asked for a session.
    pub warm_session: bool,
    /// No pod is wanted.
    pub stopped: bool,
    /// Path behind the gateway, with slashes at both ends.
    pub base_path: String,
    /// The gateway's address.
    pub gateway_url: String,
    /// The cluster's DNS domain.
    pub cluster_domain: String,
    /// Its sessions' name in HDFS; none: the user of the image.
    pub owner: Option<String>,
    /// How its programs reach what is outside.
    pub outside: Outside,
    /// Hadoop's settings for the HDFS it finds without being told.
    pub hdfs: BTreeMap<String, String>,
}

impl Session {
    /// Names of its objects.
    pub fn names(&self) -> Names<'_> {
        Names(&self.identity.name)
    }

    /// Where a browser finds it, without the token.
    pub fn url(&self) -> String {
        format!("{}{}", self.gateway_url, self.base_path)
    }

    /// The driver's name in the cluster's DNS.
    pub fn driver_host(&self) -> String {
        format!("{}.{}.svc.{}", self.names().driver_service(), self.identity.namespace, self.cluster_domain)
    }
}

/// Longest name whose `-spark-driver` still is a DNS label.
const LONGEST_NAME: usize = 63 - "-spark-driver".len();

/// Folders of the image and of the pod itself; a user's folder over one of them would hide what the pod runs on.
const POD_FOLDERS: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/run",
    "/var/lib",
    "/var/data",
    "/home/emberyard",
];

/// Checks a spec and settles what it leaves open.
pub fn validate(
    identity: Identity,
    spec: NotebookSpec,
    settings: &SessionSettings,
) -> Result<Session, InvalidNotebook> {
    let NotebookSpec {
        image,
        executor_image,
        resources,
        home,
        folder,
        owner,
        token_secret,
        spark_defaults,
        warm_session,
        stopped,
    } = spec;
    names_services(&identity.name, LONGEST_NAME)
        .map_err(|why| InvalidNotebook::Name { name: identity.name.clone(), why })?;
    for (key, value) in &spark_defaults {
        spark_default(key, value)?;
    }
    let names = Names(&identity.name);
    Ok(Session {
        image: image.unwrap_or_else(|| settings.notebook_image.clone()),
        executor_image: executor_image.unwrap_or_else(|| settings.executor_image.clone()),
        cpu: amount("spec.resources.cpu", resources.cpu, settings.cpu)?,
        memory: amount("spec.resources.memory", resources.memory, settings.memory)?,
        sizes: settings.sizes,
        home_size: amount("spec.home.size", home.size, settings.home_size)?,
        storage_class: home.storage_class,
        folder: folder.map(|folder| checked_folder(folder.path)).transpose()?,
        makes_token: token_secret.is_none(),
        token_secret: token_secret.unwrap_or_else(|| names.token()),
        spark_defaults,
        warm_session: warm_session.unwrap_or(true),
        stopped,
        base_path: base_path(&identity.namespace, &identity.name),
        gateway_url: settings.gateway_url.trim_end_matches('/').to_owned(),
        cluster_domain: settings.cluster_domain.clone(),
        owner: owner.or_else(|| settings.owner.clone()),
        outside: settings.outside.clone(),
        hdfs: settings.hdfs.clone(),
        identity,
    })
}

fn amount(field: &'static str, value: Option<Quantity>, default: Quantity) -> Result<Quantity, InvalidNotebook> {
    let value = value.unwrap_or(default);
    if value <= Quantity::ZERO {
        return Err(InvalidNotebook::Amount { field, value: value.to_string() });
    }
    Ok(value)
}

fn checked_folder(path: String) -> Result<String, InvalidNotebook> {
    let plain = path.trim_end_matches('/');
    let why = if !path.starts_with('/') {
        "the path is not absolute"
    } else if plain.is_empty() {
        "it is the root of the machine"
    } else if plain.split('/').skip(1).any(|part| part.is_empty() || part == "." || part == "..") {
        "the path holds '//', '.' or '..'"
    } else if plain.chars().any(|c| c.is_control() || c == ':' || c == ',') {
        "the path holds a control character, ':' or ','"
    } else if POD_FOLDERS.iter().any(|own| plain == *own || plain.starts_with(&format!("{own}/"))) {
        "the pods have a folder of their own there"
    } else {
        return Ok(plain.to_owned());
    };
    Err(InvalidNotebook::Folder { path, why })
}

fn spark_default(key: &str, value: &str) -> Result<(), InvalidNotebook> {
    let why = if !key.starts_with("spark.") {
        "it does not begin with `spark.`"
    } else if key.chars().any(|c| c.is_whitespace() || c.is_control() || "=:#!\\".contains(c)) {
        "the key holds a blank, '=', ':', '#', '!' or '\\'"
    } else if value.chars().any(char::is_control) {
        "the value has more than one line"
    } else {
        return Ok(());
    };
    Err(InvalidNotebook::SparkDefault { key: key.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_model::Explained;

    fn check(name: &str, spec: &str) -> Result<Session, InvalidNotebook> {
        let identity = Identity { namespace: "default".to_owned(), name: name.to_owned(), uid: "u".to_owned() };
        validate(identity, serde_json::from_str(spec).unwrap(), &SessionSettings::new("http://127.0.0.1:1"))
    }

    #[test]
    fn what_is_refused() {
        let table = [
            ("My", "{}", "can't be used"),
            ("1a", "{}", "begins with a digit"),
            (&"a".repeat(51), "{}", "50 are possible"),
            ("a", r#"{"folder":{"path":"data"}}"#, "not absolute"),
            ("a", r#"{"folder":{"path":"/"}}"#, "root"),
            ("a", r#"{"folder":{"path":"/a/../b"}}"#, "'..'"),
            ("a", r#"{"folder":{"path":"/etc/x"}}"#, "of their own"),
            ("a", r#"{"resources":{"memory":"0"}}"#, "above zero"),
            ("a", r#"{"sparkDefaults":{"x":"1"}}"#, "does not begin"),
            ("a", r#"{"sparkDefaults":{"spark.x":"1\n2"}}"#, "one line"),
        ];
        for (name, spec, wanted) in table {
            let error = check(name, spec).unwrap_err();
            assert!(error.explain().contains(wanted), "{name} {spec}: {error}");
        }
    }

    #[test]
    fn what_is_settled() {
        let session = check("a", r#"{"folder":{"path":"/home/ada/work/"}}"#).unwrap();
        assert_eq!(session.folder.as_deref(), Some("/home/ada/work"));
        assert_eq!(session.url(), "http://127.0.0.1:1/notebooks/default/a/");
        assert_eq!(session.driver_host(), "a-spark-driver.default.svc.cluster.local");
        assert!(session.makes_token && session.token_secret == "a-token");
    }
}
