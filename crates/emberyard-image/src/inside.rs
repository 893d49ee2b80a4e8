//! Runs programs inside an image in the making, at the paths they will have in the finished one.

use crate::error::ImageError;
use emberyard_sandbox::{MountSource, MountSpec, Owner, Root, RunSpec, run_in_root};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// Where a build's own folders are mounted inside, gone afterwards.
pub const MOUNTED: &str = "/run/emberyard-build";

/// Lines of output kept for the error text.
const KEPT_LINES: usize = 30;

/// The image in the making: read-only layers below, and the folder that takes what is written.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Layers below, topmost first; none for the first layer, which is changed in place.
    pub lowers: Vec<PathBuf>,
    /// The new layer is `upper` in here.
    pub scratch: PathBuf,
    /// The image's environment so far.
    pub env: BTreeMap<String, String>,
}

/// A folder of the machine shown inside, below [`MOUNTED`].
pub struct Shown<'a> {
    /// Name below [`MOUNTED`].
    pub name: &'a str,
    /// The folder.
    pub folder: &'a Path,
    /// May it be written.
    pub writable: bool,
}

impl Inside {
    /// Folder of the new layer.
    pub fn upper(&self) -> PathBuf {
        self.scratch.join("upper")
    }

    /// Where `path` of the image lies on the machine at this moment, topmost layer first.
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        let path = path.trim_start_matches('/');
        std::iter::once(self.upper())
            .chain(self.lowers.iter().cloned())
            .map(|layer| layer.join(path))
            .find(|place| std::fs::symlink_metadata(place).is_ok())
    }

    /// Runs a program to its end. `what` names it in errors; each line it prints goes to `line`.
    pub fn run(
        &self,
        what: &str,
        argv: &[&str],
        env: &[(String, String)],
        shown: &[Shown<'_>],
        line: &mut dyn FnMut(&str),
    ) -> Result<(), ImageError> {
        let upper = self.upper();
        std::fs::create_dir_all(&upper).map_err(ImageError::io("create", &upper))?;
        let root = if self.lowers.is_empty() {
            Root::Folder(upper)
        } else {
            Root::Layers { lowers: self.lowers.clone(), scratch: self.scratch.clone() }
        };
        let mut all = self.env.clone();
        all.insert("HOME".to_owned(), "/root".to_owned());
        all.extend(env.iter().cloned());
        let mut mounts: Vec<MountSpec> = shown
            .iter()
            .map(|Shown { name, folder, writable }| MountSpec {
                target: Path::new(MOUNTED).join(name),
                source: MountSource::Bind { path: (*folder).to_owned(), sub_path: None, owner: Owner::Machine },
                read_only: !writable,
            })
            .collect();
        // Beside the scratch folder: that one is covered while its overlay is mounted.
        let hosts = self.scratch.with_extension("hosts");
        std::fs::write(&hosts, hosts_text()).map_err(ImageError::io("write", &hosts))?;
        mounts.push(MountSpec {
            target: "/etc/hosts".into(),
            source: MountSource::Bind { path: hosts, sub_path: None, owner: Owner::Machine },
            read_only: true,
        });
        // Temporary files of the build are none of the image's.
        mounts.push(MountSpec {
            target: "/tmp".into(),
            source: MountSource::Tmpfs { size: None, mode: 0o1777 },
            read_only: false,
        });
        let spec = RunSpec {
            root,
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: all.into_iter().collect(),
            cwd: "/".into(),
            mounts,
            host_network_files: true,
        };
        let mut last: VecDeque<String> = VecDeque::new();
        let status = run_in_root(&spec, &mut |text| {
            if last.len() == KEPT_LINES {
                last.pop_front();
            }
            last.push_back(text.to_owned());
            line(text);
        });
        let failed = |why: String| ImageError::Step { what: what.to_owned(), why };
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let lines = Vec::from(last).join("\n");
                Err(failed(format!("it ended with exit code {}:\n{lines}", status.code)))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// The host name of what runs inside, as `emberyard_sandbox` sets it.
const HOST_NAME: &str = "build";

/// The machine's own names, and its and our host name as the loopback: Java asks for them, and many machines do not
/// know theirs.
fn hosts_text() -> String {
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machines = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    format!("127.0.0.1 localhost {HOST_NAME} {own}\n::1 localhost\n{machines}\n")
}
