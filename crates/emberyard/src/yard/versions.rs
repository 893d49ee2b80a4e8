//! Which file of a yard's folder carries which version, looked at before anything is touched: a yard that a newer program
//! has written is refused as it is. What has no number is from before there were any, which is 1.

use super::settings::SettingsError;
use super::{Settings, YardDir};
use emberyard_api::journal::JournalError;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// This program.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// Format of the keeper's own records: `run/ROLE.json`, `nodes/NAME/node.json`.
pub const RECORDS: u32 = 1;

/// Why a yard can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A file of a newer program.
    #[error("{path} was written by a newer emberyard ({key} {theirs}; this one, {PROGRAM}, knows {ours})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Which number.
        key: &'static str,
        /// Its value.
        theirs: u64,
        /// The newest this program reads.
        ours: u32,
    },
    /// The journal of a newer program.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Settings of a newer program.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// Checks every file that carries a version; changes nothing. Files that can't be read are for those who need them.
pub fn check(dir: &YardDir) -> Result<(), VersionError> {
    Settings::load(dir)?;
    emberyard_api::journal::check_format(&dir.journal())?;
    for path in json_files(&dir.run()) {
        let sandbox = path.file_name().is_some_and(|name| name == "yard-holder.json");
        at_most(&path, "format", if sandbox { emberyard_sandbox::RECORD_FORMAT } else { RECORDS })?;
    }
    for node in entries(&dir.nodes()) {
        at_most(&node.join("node.json"), "format", RECORDS)?;
        at_most(&node.join("holder.json"), "format", emberyard_sandbox::RECORD_FORMAT)?;
        for pod in entries(&node.join("pods")) {
            at_most(&pod.join("supervisor.json"), "format", emberyard_sandbox::RECORD_FORMAT)?;
            at_most(&pod.join("supervisor.json"), "version", emberyard_sandbox::PROTOCOL_VERSION)?;
            at_most(&pod.join("observed.json"), "format", emberyard_node::CHECKPOINT_FORMAT)?;
            for state in json_files(&pod.join("state")) {
                at_most(&state, "format", emberyard_sandbox::RECORD_FORMAT)?;
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect()
}

fn at_most(path: &Path, key: &'static str, ours: u32) -> Result<(), VersionError> {
    let value = std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    match value.and_then(|value| value[key].as_u64()) {
        Some(theirs) if theirs > u64::from(ours) => {
            Err(VersionError::Newer { path: path.to_owned(), key, theirs, ours })
        }
        _ => Ok(()),
    }
}
