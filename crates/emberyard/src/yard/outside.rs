//! How the user's machine reaches the outside, for pods to do the same: read from the environment of `up`, kept for the
//! operator, which has none.

use super::folder::{YardDir, write_private};
use crate::error::Failure;
use emberyard_image::Indexes;
use emberyard_manifest::Outside;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Settings of pip that hold in any place.
const KEPT: [&str; 3] = ["PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES"];
/// By these variables users name their own file of certificates.
const CERTIFICATES: [&str; 3] = ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"];

/// As this machine and user have it.
fn of_this_machine() -> Outside {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut environment: BTreeMap<String, String> =
        KEPT.into_iter().filter_map(|name| Some((name.to_owned(), variable(name)?))).collect();
    let indexes = Indexes::of_this_machine();
    if !indexes.public() {
        environment.insert("PIP_INDEX_URL".to_owned(), indexes.default);
        if !indexes.extra.is_empty() {
            environment.insert("PIP_EXTRA_INDEX_URL".to_owned(), indexes.extra.join(" "));
        }
    }
    let named = CERTIFICATES.into_iter().find_map(variable).map(PathBuf::from);
    let file = named.or_else(|| emberyard_sandbox::machine_certificates().map(PathBuf::from));
    let certificates = file.and_then(|file| std::fs::read_to_string(file).ok());
    Outside { environment, certificates }
}

/// Keeps what this machine has. Private: the address of an index may hold a password.
pub fn write(dir: &YardDir) -> Result<(), Failure> {
    let path = dir.outside();
    let text = serde_json::to_vec(&of_this_machine()).map_err(|error| Failure::Output(error.into()))?;
    write_private(&path, &text).map_err(|source| Failure::Folder { path, source })
}

/// What was kept; nothing in a yard of an earlier program.
pub fn read(dir: &YardDir) -> Outside {
    let text = std::fs::read(dir.outside()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
