//! Cells of volumes, claims and storage classes.

use crate::view::{Meta, list, text};
use serde_json::Value;

/// The STATUS column of volumes and claims.
pub fn phase(object: &Value) -> String {
    if Meta(object).is_deleting() { "Terminating".to_owned() } else { text(object, &["status", "phase"]).to_owned() }
}

/// Access modes in short: `RWO,ROX`.
pub fn modes(modes: &[Value]) -> String {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => Some("RWO"),
        Some("ReadOnlyMany") => Some("ROX"),
        Some("ReadWriteMany") => Some("RWX"),
        Some("ReadWriteOncePod") => Some("RWOP"),
        _ => None,
    };
    modes.iter().filter_map(short).collect::<Vec<_>>().join(",")
}

fn is_bound(claim: &Value) -> bool {
    !text(claim, &["spec", "volumeName"]).is_empty()
}

/// The CAPACITY column of claims: known once bound.
pub fn claim_capacity(claim: &Value) -> String {
    if is_bound(claim) { text(claim, &["status", "capacity", "storage"]).to_owned() } else { String::new() }
}

/// The ACCESS MODES column of claims: known once bound.
pub fn claim_modes(claim: &Value) -> String {
    if is_bound(claim) { modes(list(claim, &["status", "accessModes"])) } else { String::new() }
}

/// The CLAIM column of volumes.
pub fn claim_of(volume: &Value) -> String {
    match text(volume, &["spec", "claimRef", "name"]) {
        "" => String::new(),
        name => format!("{}/{name}", text(volume, &["spec", "claimRef", "namespace"])),
    }
}

fn or_unset(text: &str) -> String {
    if text.is_empty() { "<unset>".to_owned() } else { text.to_owned() }
}

/// The VOLUMEATTRIBUTESCLASS column.
pub fn attributes_class(object: &Value) -> String {
    or_unset(text(object, &["spec", "volumeAttributesClassName"]))
}

/// The VOLUMEMODE column.
pub fn volume_mode(object: &Value) -> String {
    or_unset(text(object, &["spec", "volumeMode"]))
}

/// The NAME column of storage classes: the default one is marked.
pub fn class_name(class: &Value) -> String {
    let meta = Meta(class);
    let default = meta.annotation("storageclass.kubernetes.io/is-default-class") == Some("true");
    if default { format!("{} (default)", meta.name()) } else { meta.name().to_owned() }
}
