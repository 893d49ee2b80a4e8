//! What an HDFS's status says: pure.

use super::{canary, spread};
use crate::view::{label, serves, settle};
use emberyard_manifest::InvalidHdfs;
use emberyard_manifest::hdfs::{DATA_NODE, NoPrefix, NodePrefix, Plan};
use emberyard_model::hdfs::COMPONENT_LABEL;
use emberyard_model::{Explained, HdfsPart, HdfsPhase, HdfsStatus, Timestamp};
use emberyard_plan::hdfs::{REMOVAL, Told};
use serde_json::Value;

/// What is known of an HDFS beside its spec.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Generation of its spec.
    pub generation: i64,
    /// What its status says so far.
    pub before: &'a HdfsStatus,
    /// Its pods.
    pub pods: Vec<&'a Value>,
    /// The pod of the active NameNode.
    pub active: Option<String>,
    /// Pods that are still of an older spec.
    pub outdated: Vec<String>,
    /// How addresses tell their node, or why they don't.
    pub by_node: &'a Result<NodePrefix, NoPrefix>,
    /// What is to be said of DataNodes that are to go.
    pub removal: Option<Told>,
    /// What its canary tells, where it answers.
    pub canary: Option<Value>,
    /// The time.
    pub now: Timestamp,
}

/// Of an HDFS whose spec can be carried out.
pub fn of_plan(plan: &Plan, seen: Seen<'_>) -> HdfsStatus {
    let parts: Vec<HdfsPart> = plan
        .parts()
        .into_iter()
        .map(|(name, wanted)| {
            let of_this = |pod: &&&Value| label(pod, COMPONENT_LABEL) == Some(name) && serves(pod);
            let ready = seen.pods.iter().filter(of_this).count();
            HdfsPart { name: name.to_owned(), wanted, ready: u32::try_from(ready).unwrap_or(u32::MAX) }
        })
        .collect();
    let missing: Vec<String> = parts
        .iter()
        .filter(|part| part.ready < part.wanted)
        .map(|part| format!("{} of {} {}s are ready", part.ready, part.wanted, part.name))
        .collect();
    let holds_blocks = parts.iter().any(|part| part.name == DATA_NODE && part.ready > 0);
    let (phase, status, reason, message) = match (&seen.active, missing.is_empty()) {
        (Some(_), true) => (HdfsPhase::Ready, "True", "Serving", "All parts are ready.".to_owned()),
        (Some(_), false) if holds_blocks => {
            (HdfsPhase::Degraded, "True", "PartsMissing", format!("It serves; {}.", missing.join(", ")))
        }
        (Some(_), false) => (HdfsPhase::Pending, "False", "NoDataNode", format!("{}.", missing.join(", "))),
        (None, true) => (HdfsPhase::Pending, "False", "NoActive", "No NameNode is active.".to_owned()),
        (None, false) => {
            (HdfsPhase::Pending, "False", "NoActive", format!("No NameNode is active; {}.", missing.join(", ")))
        }
    };
    let mut conditions = vec![
        settle(&seen.before.conditions, "Ready", (status, reason, message), seen.now),
        settle(&seen.before.conditions, "UpToDate", up_to_date(&seen.outdated), seen.now),
        settle(&seen.before.conditions, "Locality", locality(plan, seen.by_node), seen.now),
        settle(&seen.before.conditions, "Isolated", isolated(plan, seen.by_node), seen.now),
    ];
    if let Some(said) = spread::said(plan, &seen.pods) {
        conditions.push(settle(&seen.before.conditions, spread::SPREAD, said, seen.now));
    }
    if let Some(said) = seen.canary.as_ref().and_then(canary::said) {
        conditions.push(settle(&seen.before.conditions, canary::CANARY, said, seen.now));
    }
    if let Some(Told { done, reason, message }) = seen.removal {
        let status = if done { "True" } else { "False" };
        conditions.push(settle(&seen.before.conditions, REMOVAL, (status, reason, message), seen.now));
    }
    HdfsStatus {
        observed_generation: seen.generation,
        phase,
        url: Some(plan.url()),
        active: seen.active.clone(),
        parts,
        conditions,
    }
}

/// Whether all pods are of the newest spec, as status, reason and message of a condition.
fn up_to_date(outdated: &[String]) -> (&'static str, &'static str, String) {
    match outdated {
        [] => ("True", "AllReplaced", "All pods are of the newest spec.".to_owned()),
        pods => (
            "False",
            "Replacing",
            format!("Still of an older spec, replaced one after the other: {}.", pods.join(", ")),
        ),
    }
}

/// Whether blocks are placed by node, and read where they are.
fn locality(plan: &Plan, by_node: &Result<NodePrefix, NoPrefix>) -> (&'static str, &'static str, String) {
    match by_node {
        Ok(prefix) => {
            let (reason, zones) = if plan.by_zone() { ("ByZone", " of two zones") } else { ("ByNode", "") };
            let how = format!("Copies of a block are on different nodes{zones}, and sessions read them where they are");
            ("True", reason, format!("{how}: the first {prefix} bits of an address tell its node."))
        }
        Err(why) => ("False", "NodesUnknown", format!("Blocks are placed and read without regard to nodes: {why}.")),
    }
}

/// Who reaches it, and what that means.
fn isolated(plan: &Plan, by_node: &Result<NodePrefix, NoPrefix>) -> (&'static str, &'static str, String) {
    const TRUST: &str = "Whoever reaches it is trusted: it believes the name that a client gives itself.";
    match by_node {
        Ok(_) => {
            let namespaces = [&plan.identity.namespace].into_iter().chain(&plan.client_namespaces);
            let names = namespaces.map(String::as_str).collect::<Vec<_>>().join(", ");
            let keeps = "as far as the cluster's network keeps network policies";
            ("True", "ByNetworkPolicy", format!("Only pods of {names} reach it, {keeps}. {TRUST}"))
        }
        Err(why) => ("False", "NodesUnknown", format!("All pods of the cluster reach it: {why}. {TRUST}")),
    }
}

/// Of an HDFS whose spec can't be carried out: what runs of it stays as it is.
pub fn of_invalid(error: &InvalidHdfs, seen: &Seen<'_>) -> HdfsStatus {
    let message = format!("{error}. {}", error.code().cure);
    HdfsStatus {
        observed_generation: seen.generation,
        phase: HdfsPhase::Invalid,
        conditions: vec![settle(&seen.before.conditions, "Ready", ("False", error.code().id, message), seen.now)],
        ..seen.before.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_manifest::Identity;
    use emberyard_manifest::hdfs::{HdfsSettings, validate};
    use emberyard_model::HdfsSpec;
    use serde_json::json;

    fn said(active: Option<&str>, ready: &[(&str, usize)]) -> String {
        let identity = Identity { namespace: "d".to_owned(), name: "a".to_owned(), uid: "1".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let plan = validate(identity, HdfsSpec::default(), &settings).unwrap();
        let pod = |part: &str| {
            json!({"metadata": {"labels": {COMPONENT_LABEL: part}},
                   "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        };
        let pods: Vec<Value> = ready.iter().flat_map(|(part, count)| vec![pod(part); *count]).collect();
        let before = HdfsStatus::default();
        let status = of_plan(
            &plan,
            Seen {
                generation: 1,
                before: &before,
                pods: pods.iter().collect(),
                active: active.map(str::to_owned),
                outdated: Vec::new(),
                by_node: &Err(NoPrefix::NoRange),
                removal: None,
                canary: None,
                now: Timestamp::from_seconds(1),
            },
        );
        assert!(status.conditions[2].message.ends_with("(spec.podCIDR)."), "{:?}", status.conditions);
        format!("{:?}: {}", status.phase, status.conditions[0].message)
    }

    #[test]
    fn what_is_said() {
        let all = [("namenode", 2), ("journalnode", 3), ("zookeeper", 3), ("datanode", 4), ("client", 1)];
        assert_eq!(said(Some("a-namenode-0"), &all), "Ready: All parts are ready.");
        assert_eq!(said(None, &all), "Pending: No NameNode is active.");
        let mut few = all;
        few[3].1 = 3;
        assert_eq!(said(Some("a-namenode-0"), &few), "Degraded: It serves; 3 of 4 datanodes are ready.");
        few[3].1 = 0;
        assert_eq!(said(Some("a-namenode-0"), &few), "Pending: 0 of 4 datanodes are ready.");
        assert!(said(None, &[]).starts_with("Pending: No NameNode is active; 0 of 3 zookeepers"));
    }
}
