//! Layout of the yard's folder. Only this file knows where something lies.

use emberyard_model::NodeName;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A yard's folder.
#[derive(Debug, Clone)]
pub struct YardDir(PathBuf);

impl YardDir {
    /// Takes the folder from the switch, else the user's data folder (XDG base directory specification).
    pub fn locate(given: Option<&Path>) -> Result<Self, std::io::Error> {
        let path = match given {
            Some(path) => path.to_path_buf(),
            None => data_home()?.join("emberyard"),
        };
        Ok(Self(std::path::absolute(path)?))
    }

    /// Makes the folder and its parts, private to the owner.
    pub fn create(&self) -> std::io::Result<()> {
        for path in [self.0.clone(), self.pki(), self.journal(), self.run(), self.log(), self.nodes(), self.volumes()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        Ok(())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// What kubeconfigs call the yard: `emberyard`, and with its folder's name where that is one of the user's choice, so that
    /// several yards have room in one kubeconfig.
    pub fn context(&self) -> String {
        let usual = data_home().is_ok_and(|data| data.join("emberyard") == self.0);
        match self.0.file_name().filter(|_| !usual) {
            Some(name) => format!("emberyard-{}", name.to_string_lossy()),
            None => "emberyard".to_owned(),
        }
    }
    /// Settings that stay.
    pub fn settings(&self) -> PathBuf {
        self.0.join("yard.json")
    }
    /// How pods reach what is outside.
    pub fn outside(&self) -> PathBuf {
        self.0.join("outside.json")
    }
    /// Held by the keeper as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
    /// Certificates and keys.
    pub fn pki(&self) -> PathBuf {
        self.0.join("pki")
    }
    /// Administrator's kubeconfig, for the machine's side.
    pub fn kubeconfig(&self) -> PathBuf {
        self.0.join("kubeconfig")
    }
    /// Operator's kubeconfig, for the yard's side.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.pki().join("operator.kubeconfig")
    }
    /// The API server's journal and snapshots.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }
    /// Sockets and process records.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }
    /// How pods reach the outside: the word of the last set-up of the yard's network.
    pub fn outbound(&self) -> PathBuf {
        self.run().join("outbound.json")
    }
    /// Logs of our own processes.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }
    /// Images.
    pub fn images(&self) -> PathBuf {
        self.0.join("images")
    }
    /// Downloaded packages.
    pub fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }
    /// Volumes of the local provisioner.
    pub fn volumes(&self) -> PathBuf {
        self.0.join("volumes")
    }
    /// All nodes.
    pub fn nodes(&self) -> PathBuf {
        self.0.join("nodes")
    }
    /// One node.
    pub fn node(&self, name: &NodeName) -> PathBuf {
        self.nodes().join(name.as_str())
    }
    /// Why the API server could not start or go on, in its own words.
    pub fn api_failure(&self) -> PathBuf {
        self.run().join("api-failure.txt")
    }
    /// By how much the yard's clock is ahead of the machine's; see [`super::clock`].
    pub fn clock_ahead(&self) -> PathBuf {
        self.run().join("clock-ahead")
    }
    /// The keeper's control socket.
    pub fn keeper_socket(&self) -> PathBuf {
        self.run().join("keeper.sock")
    }
}

/// `$XDG_DATA_HOME`, else `~/.local/share`.
fn data_home() -> std::io::Result<PathBuf> {
    if let Some(path) = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(path);
    }
    home().map(|home| home.join(".local/share"))
}

/// The user's home folder.
pub fn home() -> std::io::Result<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute()).ok_or_else(|| {
        std::io::Error::new(std::io::ErrorKind::NotFound, "HOME is not set: set it, or name a folder with --dir")
    })
}

/// Replaces a private file as a whole: a reader sees the old or the new text, never half of one.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}
