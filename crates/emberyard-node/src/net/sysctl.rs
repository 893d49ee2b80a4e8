//! Kernel settings of the network namespace this thread stands in.

use crate::error::NetError;
use std::path::{Path, PathBuf};

/// Writes `/proc/sys/net/{name}` unless it has that value already (so that a read-only `/proc/sys` with the right
/// value is no error).
pub(crate) fn set(name: &str, value: &str) -> Result<(), NetError> {
    let path: PathBuf = Path::new("/proc/sys/net").join(name);
    if std::fs::read_to_string(&path).is_ok_and(|now| now.trim() == value) {
        return Ok(());
    }
    std::fs::write(&path, value).map_err(|source| NetError::Setting { path, source })
}
