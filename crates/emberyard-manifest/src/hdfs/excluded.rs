//! The list of DataNodes that are to hand over their blocks, as NameNodes read it.
//!
//! It is no part of the configuration: a change of it starts nothing anew.

use super::set::owned;
use super::validate::Plan;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Where NameNodes find it.
pub(crate) const FOLDER: &str = "/etc/hdfs-excluded";
/// Its file's name there.
pub(crate) const FILE: &str = "excluded";

/// The ConfigMap with the list: an address on each line.
pub fn excluded(plan: &Plan, addresses: &BTreeSet<IpAddr>) -> Value {
    let mut list = String::new();
    for address in addresses {
        // Writing to a String can't fail.
        let _ = writeln!(list, "{address}");
    }
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": owned(plan, &plan.names().excluded(), "config"),
        "data": {FILE: list},
    })
}

/// The addresses in such a ConfigMap; what is no address is not seen.
pub fn addresses(config_map: &Value) -> BTreeSet<IpAddr> {
    let lines = config_map["data"][FILE].as_str().unwrap_or_default().lines();
    lines.filter_map(|line| line.trim().parse().ok()).collect()
}
