//! An HDFS: [`validate()`] turns an HdfsCluster into a [`Plan`], [`build()`] turns that into objects.
//!
//! Settings, start order and traps were measured with Hadoop 3.5; where a choice is not obvious the code says why.

mod change;
mod client;
mod clients;
mod config;
mod data_node;
mod excluded;
mod journal_node;
mod locality;
mod name_node;
mod names;
mod set;
mod validate;
mod zones;
mod zoo_keeper;

pub use change::{keeps_volumes, ordinal};
pub use client::PART as CLIENT;
pub use clients::network_policy;
pub use config::{client_settings, formatted, session_locality};
pub use data_node::{HANDED_OVER_LABEL, PART as DATA_NODE, is_data_node};
pub use excluded::{addresses, excluded};
pub use locality::{NoPrefix, NodePrefix, NodeRange, PodPlace, node_prefix};
pub use names::{HDFS_USER, HdfsNames};
pub use validate::{HdfsSettings, Plan, validate};
pub use zones::zones;

use crate::labels::{SPEC_ANNOTATION, fingerprint};
use serde_json::{Value, json};

/// Everything an HDFS consists of in the cluster, in the order in which it is best made.
///
/// Claims of volumes are no part of it: StatefulSets make them, and they stay when the HDFS goes.
pub fn build(plan: &Plan) -> Vec<Value> {
    let config = config::config_map(plan);
    let data = config["data"].clone();
    let mut all = vec![config];
    if plan.has_standby() {
        all.extend(zoo_keeper::objects(plan));
        all.extend(journal_node::objects(plan));
    }
    all.extend(name_node::objects(plan));
    all.extend(data_node::objects(plan));
    all.push(client::deployment(plan));
    // A changed configuration is read by a new pod, and pods tell what they were made from.
    for template in all.iter_mut().filter_map(|object| object.pointer_mut("/spec/template")) {
        let made_from = fingerprint(&json!([data, template]));
        template["metadata"]["annotations"] = json!({SPEC_ANNOTATION: made_from});
    }
    all
}
