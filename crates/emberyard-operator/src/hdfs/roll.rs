//! Which NameNode is replaced next by one of its set's newest revision: pure.
//!
//! Their set replaces none by itself (`OnDelete`): only here it is known which of them is active. The standby goes first; the
//! active one follows once the new standby serves, and hands over before it ends. So clients feel one pause.

use crate::view::{Key, is_leaving, is_ready, label, serves};
use emberyard_model::hdfs::COMPONENT_LABEL;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Label of a pod with the revision of its set that it is of.
const REVISION: &str = "controller-revision-hash";

/// Generations of the sets as they were last written, by name.
pub type Generations = BTreeMap<String, i64>;

/// Names of pods that are of another revision than their set's newest, or may be: of a set whose last change nobody has
/// carried out yet, all of them.
pub fn outdated(sets: &[&Value], pods: &[&Value], written: &Generations) -> Vec<String> {
    let of_set = |set: &&Value| {
        let known =
            is_settled(set) && set["metadata"]["generation"].as_i64() >= written.get(&Key::of(set).name).copied();
        let pods = if known { old_pods(set, pods) } else { pods_of(set, pods) };
        pods.into_iter().map(|pod| Key::of(pod).name).collect::<Vec<_>>()
    };
    sets.iter().flat_map(of_set).collect()
}

/// The NameNode's pod to replace now, if one may go.
pub fn next<'a>(sets: &[&Value], pods: &[&'a Value], active: Option<&str>) -> Option<&'a Value> {
    let set = sets.iter().find(|set| label(set, COMPONENT_LABEL) == Some("namenode") && is_settled(set))?;
    let is_active = |pod: &Value| active == pod["metadata"]["name"].as_str();
    let old = old_pods(set, pods);
    // One that does not serve has nothing to lose: what keeps it from serving may be what is to be replaced.
    if let Some(broken) = old.iter().find(|pod| !is_ready(pod) && !is_leaving(pod) && !is_active(pod)) {
        return Some(*broken);
    }
    let all = pods_of(set, pods);
    let is_whole = all.iter().all(|pod| serves(pod))
        && set["spec"]["replicas"].as_u64() == u64::try_from(all.len()).ok()
        && active.is_some();
    if !is_whole {
        return None;
    }
    old.iter().find(|pod| !is_active(pod)).or(old.first()).copied()
}

/// The request for a pod's eviction: its disruption budget may refuse it, and another pod of its name is not meant.
pub fn eviction(pod: &Value) -> Value {
    let metadata = &pod["metadata"];
    json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "deleteOptions": {"preconditions": {"uid": metadata["uid"]}},
    })
}

fn pods_of<'a>(set: &Value, pods: &[&'a Value]) -> Vec<&'a Value> {
    pods.iter().filter(|pod| label(pod, COMPONENT_LABEL) == label(set, COMPONENT_LABEL)).copied().collect()
}

/// Whether the set's newest revision is known.
fn is_settled(set: &Value) -> bool {
    let status = &set["status"];
    status["updateRevision"].is_string() && status["observedGeneration"] == set["metadata"]["generation"]
}

fn old_pods<'a>(set: &Value, pods: &[&'a Value]) -> Vec<&'a Value> {
    let newest = set["status"]["updateRevision"].as_str();
    pods_of(set, pods).into_iter().filter(|pod| label(pod, REVISION) != newest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(generation: i64) -> Value {
        json!({
            "metadata": {"generation": generation, "labels": {COMPONENT_LABEL: "namenode"}},
            "spec": {"replicas": 2},
            "status": {"observedGeneration": 2, "updateRevision": "new"},
        })
    }

    fn pod(name: &str, revision: &str, ready: &str) -> Value {
        json!({
            "metadata": {"name": name, "labels": {COMPONENT_LABEL: "namenode", REVISION: revision}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        })
    }

    #[test]
    fn the_standby_goes_first_and_the_active_one_when_it_is_back() {
        let table = [
            (vec![("a", "old", "True"), ("b", "old", "True")], Some("a"), Some("b")),
            (vec![("a", "old", "True"), ("b", "old", "True")], Some("b"), Some("a")),
            (vec![("a", "old", "True"), ("b", "new", "False")], Some("a"), None),
            (vec![("a", "old", "True")], Some("a"), None),
            (vec![("a", "old", "True"), ("b", "new", "True")], Some("a"), Some("a")),
            // Nobody leads: an election is on its way.
            (vec![("a", "old", "True"), ("b", "old", "True")], None, None),
            // What never served is replaced whatever the others do.
            (vec![("a", "old", "True"), ("b", "old", "False")], Some("a"), Some("b")),
            (vec![("a", "new", "True"), ("b", "new", "True")], Some("a"), None),
        ];
        for (pods, active, wanted) in table {
            let pods: Vec<Value> = pods.iter().map(|(name, revision, ready)| pod(name, revision, ready)).collect();
            let pods: Vec<&Value> = pods.iter().collect();
            let next = next(&[&set(2)], &pods, active).map(|pod| Key::of(pod).name);
            assert_eq!(next.as_deref(), wanted, "{pods:?} {active:?}");
        }
    }

    #[test]
    fn a_set_that_was_just_changed_is_waited_for() {
        let (a, b) = (pod("a", "old", "True"), pod("b", "old", "True"));
        assert_eq!(next(&[&set(3)], &[&a, &b], Some("a")), None);
        let new = pod("a", "new", "True");
        let said = |generation, written: &[i64]| {
            let written = written.iter().map(|written| (String::new(), *written)).collect();
            outdated(&[&set(generation)], &[&new, &b], &written)
        };
        assert_eq!(said(2, &[]), ["b"]);
        assert_eq!(said(2, &[2]), ["b"]);
        // What was written is not seen yet, or not carried out.
        assert_eq!(said(2, &[3]), ["a", "b"]);
        assert_eq!(said(3, &[3]), ["a", "b"]);
    }
}
