//! In which order pods are replaced by those of a changed spec: pure.
//!
//! One part follows the other, so that never two of a kind and seldom two of different kinds are away. The set of NameNodes
//! replaces none by itself (`OnDelete`): only here it is known which of them is active. The standby goes first; the active one
//! follows once the new standby serves, and hands over before it ends. So clients feel one pause.

use crate::view::{Key, annotation, is_leaving, is_ready, label, serves};
use emberyard_manifest::SPEC_ANNOTATION;
use emberyard_manifest::hdfs::CLIENT;
use emberyard_model::hdfs::COMPONENT_LABEL;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Label of a pod with the revision of its set that it is of.
const REVISION: &str = "controller-revision-hash";

/// Generations of the sets as they were last written, by name.
pub type Generations = BTreeMap<String, i64>;

/// Names of the sets whose new template waits, of those that are `wanted`, first things first: one before it has pods of an
/// older one, or lacks some. What is new is made at once.
pub fn held(wanted: &[Value], sets: &[&Value], pods: &[&Value], written: &Generations) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    let mut busy = false;
    for object in wanted.iter().filter(|object| object["kind"] == "StatefulSet") {
        let name = Key::of(object).name;
        let Some(set) = sets.iter().find(|set| Key::of(set).name == name) else { continue };
        let differs = made_from(&object["spec"]["template"]) != made_from(&set["spec"]["template"]);
        if busy && differs {
            held.insert(name);
        }
        busy |= differs || !is_known(set, written) || !old_pods(set, pods).is_empty() || !is_whole(set, pods);
    }
    held
}

/// Names of pods that are of another template than the wanted one, or may be: of a set whose last change nobody has carried out
/// yet, or whose next one waits, all of them.
pub fn outdated(
    wanted: &[Value],
    sets: &[&Value],
    pods: &[&Value],
    written: &Generations,
    held: &BTreeSet<String>,
) -> Vec<String> {
    let of_set = |set: &&Value| {
        let known = is_known(set, written) && !held.contains(&Key::of(set).name);
        if known { old_pods(set, pods) } else { pods_of(set, pods) }
    };
    let client = wanted.iter().find(|object| label(object, COMPONENT_LABEL) == Some(CLIENT));
    let of_client = pods.iter().filter(|pod| {
        label(pod, COMPONENT_LABEL) == Some(CLIENT)
            && client.is_some_and(|client| made_from(pod) != made_from(&client["spec"]["template"]))
    });
    sets.iter().flat_map(of_set).chain(of_client.copied()).map(|pod| Key::of(pod).name).collect()
}

/// What a pod, or pods of a template, were made from.
fn made_from(object: &Value) -> Option<&str> {
    annotation(object, SPEC_ANNOTATION)
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
    if !is_whole(set, pods) || active.is_none() {
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

/// Whether all pods that a set is to have serve.
fn is_whole(set: &Value, pods: &[&Value]) -> bool {
    let all = pods_of(set, pods);
    all.iter().all(|pod| serves(pod)) && set["spec"]["replicas"].as_u64() == u64::try_from(all.len()).ok()
}

/// Whether what was last written of a set is seen, and its newest revision known.
fn is_known(set: &Value, written: &Generations) -> bool {
    is_settled(set) && set["metadata"]["generation"].as_i64() >= written.get(&Key::of(set).name).copied()
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
            outdated(&[], &[&set(generation)], &[&new, &b], &written, &BTreeSet::new())
        };
        assert_eq!(said(2, &[]), ["b"]);
        assert_eq!(said(2, &[2]), ["b"]);
        // What was written is not seen yet, or not carried out.
        assert_eq!(said(2, &[3]), ["a", "b"]);
        assert_eq!(said(3, &[3]), ["a", "b"]);
    }

    /// A set of one pod, and the pod: what each is of.
    fn part(name: &str, template: &str, pod: &str, ready: &str) -> [Value; 2] {
        let labels = json!({COMPONENT_LABEL: name, REVISION: pod});
        let set = json!({
            "kind": "StatefulSet",
            "metadata": {"name": name, "generation": 1, "labels": {COMPONENT_LABEL: name}},
            "spec": {"replicas": 1, "template": {"metadata": {"annotations": {SPEC_ANNOTATION: template}}}},
            "status": {"observedGeneration": 1, "updateRevision": template},
        });
        let pod = json!({
            "metadata": {"name": format!("{name}-0"), "labels": labels, "annotations": {SPEC_ANNOTATION: pod}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        });
        [set, pod]
    }

    #[test]
    fn one_part_follows_the_other() {
        let wanted: Vec<Value> = ["a", "b", "c"].map(|name| part(name, "new", "", "")[0].clone()).into();
        let table = [
            // Template and pod of each, and which wait.
            ([("old", "old", "True"), ("old", "old", "True"), ("old", "old", "True")], vec!["b", "c"]),
            ([("new", "old", "True"), ("old", "old", "True"), ("old", "old", "True")], vec!["b", "c"]),
            ([("new", "new", "False"), ("old", "old", "True"), ("old", "old", "True")], vec!["b", "c"]),
            ([("new", "new", "True"), ("old", "old", "True"), ("old", "old", "True")], vec!["c"]),
            // Somebody else's change: it is written over at once.
            ([("new", "new", "True"), ("new", "new", "True"), ("old", "old", "True")], vec![]),
            ([("new", "new", "False"), ("new", "new", "True"), ("new", "new", "True")], vec![]),
        ];
        for (parts, waiting) in table {
            let there: Vec<[Value; 2]> = ["a", "b", "c"]
                .into_iter()
                .zip(parts)
                .map(|(name, (template, pod, ready))| part(name, template, pod, ready))
                .collect();
            let sets: Vec<&Value> = there.iter().map(|[set, _]| set).collect();
            let pods: Vec<&Value> = there.iter().map(|[_, pod]| pod).collect();
            let none = Generations::new();
            let found = held(&wanted, &sets, &pods, &none);
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), waiting, "{parts:?}");
            let old = outdated(&wanted, &sets, &pods, &none, &found);
            assert!(waiting.iter().all(|name| old.contains(&format!("{name}-0"))), "{parts:?}: {old:?}");
            // What is made for the first time waits for nobody.
            assert!(held(&wanted, &[], &[], &none).is_empty());
        }
        // What was written and is not seen yet.
        let new = part("a", "new", "new", "True");
        let next = part("b", "old", "old", "True");
        let written = Generations::from([("a".to_owned(), 2)]);
        assert_eq!(
            held(&wanted, &[&new[0], &next[0]], &[&new[1], &next[1]], &written),
            BTreeSet::from(["b".to_owned()])
        );
    }

    #[test]
    fn the_client_is_of_the_newest_spec_too() {
        let client = |made_from: &str| {
            let metadata = json!({"name": "client", "labels": {COMPONENT_LABEL: CLIENT},
                                  "annotations": {SPEC_ANNOTATION: made_from}});
            json!({"metadata": metadata, "spec": {"template": {"metadata": metadata}}})
        };
        let (old, new) = (client("old"), client("new"));
        let said = |pod| outdated(std::slice::from_ref(&new), &[], &[pod], &Generations::new(), &BTreeSet::new());
        assert_eq!((said(&old), said(&new)), (vec!["client".to_owned()], vec![]));
    }
}
