//! Which path means what, and where notebooks are: pure.

use emberyard_model::notebook::{JUPYTER_PORT, base_path};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Namespace and name of a notebook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotebookId {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl NotebookId {
    /// Its path behind the gateway, with slashes at both ends.
    pub fn base_path(&self) -> String {
        base_path(&self.namespace, &self.name)
    }
}

/// What the gateway knows of a notebook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// Its pod's address.
    pub ip: Option<IpAddr>,
    /// Its token; none until it has one.
    pub token: Option<String>,
    /// What its status says.
    pub phase: String,
    /// Ports, other than the usual ones only in tests.
    pub ports: Option<Ports>,
}

/// Ports of a notebook's pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Jupyter.
    pub jupyter: u16,
    /// The Spark UI's door.
    pub door: u16,
}

impl Route {
    fn ports(&self) -> Ports {
        self.ports.unwrap_or(Ports { jupyter: JUPYTER_PORT, door: emberyard_model::notebook::DOOR_PORT })
    }

    /// Where Jupyter listens.
    pub fn jupyter(&self) -> Option<SocketAddr> {
        self.ip.map(|ip| SocketAddr::new(ip, self.ports().jupyter))
    }

    /// Where the Spark UI's door listens.
    pub fn door(&self) -> Option<SocketAddr> {
        self.ip.map(|ip| SocketAddr::new(ip, self.ports().door))
    }
}

/// All notebooks.
pub type Routes = BTreeMap<NotebookId, Route>;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// The page with the list of notebooks.
    Index,
    /// The same for machines.
    Status,
    /// The page of the whole yard.
    Overview,
    /// The same for machines.
    OverviewStatus,
    /// Whether the gateway lives.
    Health,
    /// The same with a slash behind it: relative links need it.
    AddSlash,
    /// A notebook's Jupyter.
    Jupyter(NotebookId),
    /// A notebook's Spark UI.
    SparkUi {
        /// Which notebook.
        notebook: NotebookId,
        /// The path for the door.
        path: String,
    },
    /// Nothing.
    Unknown,
}

/// Reads a path (without its query).
pub fn target(path: &str) -> Target {
    match path {
        "/" => return Target::Index,
        "/status.json" => return Target::Status,
        "/healthz" => return Target::Health,
        "/yard" => return Target::Overview,
        "/yard.json" => return Target::OverviewStatus,
        _ => {}
    }
    let Some((namespace, rest)) = path.strip_prefix("/notebooks/").and_then(|rest| rest.split_once('/')) else {
        return Target::Unknown;
    };
    let (name, rest) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if namespace.is_empty() || name.is_empty() {
        return Target::Unknown;
    }
    let notebook = NotebookId { namespace: namespace.to_owned(), name: name.to_owned() };
    let (first, below) =
        rest.strip_prefix('/').map_or(("", ""), |rest| rest.split_at(rest.find('/').unwrap_or(rest.len())));
    let has_port = first.strip_prefix("spark:").is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    match first {
        _ if rest.is_empty() => Target::AddSlash,
        "spark" if below.is_empty() => Target::AddSlash,
        // The first running context, whatever its port.
        "spark" => Target::SparkUi { notebook, path: below.to_owned() },
        _ if has_port && below.is_empty() => Target::AddSlash,
        _ if has_port => Target::SparkUi { notebook, path: rest.to_owned() },
        _ => Target::Jupyter(notebook),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_table() {
        let id = || NotebookId { namespace: "d".to_owned(), name: "n".to_owned() };
        let ui = |path: &str| Target::SparkUi { notebook: id(), path: path.to_owned() };
        let table = [
            ("/", Target::Index),
            ("/status.json", Target::Status),
            ("/yard", Target::Overview),
            ("/yard.json", Target::OverviewStatus),
            ("/yard/x", Target::Unknown),
            ("/x", Target::Unknown),
            ("/notebooks/d", Target::Unknown),
            ("/notebooks//n/", Target::Unknown),
            ("/notebooks/d/n", Target::AddSlash),
            ("/notebooks/d/n/", Target::Jupyter(id())),
            ("/notebooks/d/n/lab/tree/spark:1/x", Target::Jupyter(id())),
            ("/notebooks/d/n/sparkle", Target::Jupyter(id())),
            ("/notebooks/d/n/spark", Target::AddSlash),
            ("/notebooks/d/n/spark/", ui("/")),
            ("/notebooks/d/n/spark/jobs/", ui("/jobs/")),
            ("/notebooks/d/n/spark:4040", Target::AddSlash),
            ("/notebooks/d/n/spark:4040/", ui("/spark:4040/")),
            ("/notebooks/d/n/spark:4041/jobs/", ui("/spark:4041/jobs/")),
            ("/notebooks/d/n/spark:x/", Target::Jupyter(id())),
        ];
        for (path, wanted) in table {
            assert_eq!(target(path), wanted, "{path}");
        }
    }
}
