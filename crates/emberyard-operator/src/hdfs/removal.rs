//! DataNodes of nodes that are emptied: what is seen of them, and what is written for it. `emberyard_plan::hdfs` decides.

use super::name_node;
use crate::view::{Key, is_leaving, is_over, is_ready, label};
use crate::write::of;
use emberyard_client::{ApiError, Client, ContentKind, path};
use emberyard_manifest::hdfs::{HANDED_OVER_LABEL, Plan, addresses, excluded, is_data_node, ordinal};
use emberyard_plan::hdfs::{DataNode, Removal, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What there is: pods of this HDFS, the nodes that are to be emptied, the active NameNode's pod.
pub async fn observe(
    client: &Client,
    plan: &Plan,
    pods: &[&Value],
    emptied: &BTreeSet<&str>,
    active: Option<&str>,
) -> Result<World, ApiError> {
    let listed = client.find(&of(&excluded(plan, &BTreeSet::new()))).await?;
    let mut world = World {
        copies: plan.replication,
        wanted: plan.data_nodes,
        data_nodes: pods.iter().filter_map(|pod| data_node(pod, emptied, plan.data_nodes)).collect(),
        active: None,
        standby: None,
        excluded: listed.as_ref().map(addresses).unwrap_or_default(),
    };
    // Most of the time nothing is to go, and NameNodes need not be asked.
    if world.excluded.is_empty() && !world.data_nodes.iter().any(|one| one.asked) {
        return Ok(world);
    }
    let namespace = &plan.identity.namespace;
    for pod in plan.name_node_pods() {
        let view = name_node::view(client, namespace, &pod).await;
        if active == Some(&pod) { world.active = view } else { world.standby = view }
    }
    // What a standby counts is worth nothing, and which of them is one may have changed meanwhile.
    if name_node::active(client, namespace, active.into_iter()).await.is_none() {
        world.active = None;
    }
    Ok(world)
}

/// A DataNode's pod, as soon as it has an address.
fn data_node(pod: &Value, emptied: &BTreeSet<&str>, wanted: u32) -> Option<DataNode> {
    (is_data_node(pod) && !is_over(pod)).then_some(())?;
    let node = pod["spec"]["nodeName"].as_str()?;
    Some(DataNode {
        pod: pod["metadata"]["name"].as_str()?.to_owned(),
        uid: pod["metadata"]["uid"].as_str()?.to_owned(),
        address: pod["status"]["podIP"].as_str()?.parse().ok()?,
        node: node.to_owned(),
        ready: is_ready(pod),
        ends: is_leaving(pod),
        asked: emptied.contains(node) || ordinal(pod)? >= wanted,
    })
}

/// Writes what was decided where it differs: which pods may go, and whom NameNodes are told.
pub async fn carry_out(
    client: &Client,
    plan: &Plan,
    pods: &[&Value],
    world: &World,
    decided: &Removal,
    manager: &str,
) -> Result<(), ApiError> {
    for pod in pods.iter().filter(|pod| is_data_node(pod) && !is_leaving(pod)) {
        let may_go = pod["metadata"]["uid"].as_str().is_some_and(|uid| decided.may_go.contains(uid));
        if may_go != label(pod, HANDED_OVER_LABEL).is_some() {
            mark(client, "pods", pod, may_go).await?;
        }
    }
    if decided.excluded != world.excluded {
        tracing::info!(hdfs = plan.identity.name, leave = ?decided.excluded, "DataNodes that hand over their blocks");
        let list = excluded(plan, &decided.excluded);
        client.apply(&of(&list), &list, manager).await?;
    }
    Ok(())
}

/// How many DataNodes there must be for now: those that are too many stay until they have handed over, the last first.
pub fn kept(wanted: u32, running: u32, pods: &[&Value]) -> u32 {
    let has_left = |number: u32| {
        let is_it = |pod: &&&Value| is_data_node(pod) && ordinal(pod) == Some(number);
        pods.iter().find(is_it).is_some_and(|pod| label(pod, HANDED_OVER_LABEL).is_some())
    };
    let mut kept = running.max(wanted);
    while kept > wanted && has_left(kept - 1) {
        kept -= 1;
    }
    kept
}

/// Notes on claims of volumes whether their blocks are all elsewhere: those from `kept` on, of the `running` that there are so far. The
/// volumes stay; one that is used again holds blocks again.
pub async fn mark_claims(client: &Client, claims: &mut [Value], kept: u32, running: u32) -> Result<(), ApiError> {
    for claim in claims.iter_mut().filter(|claim| is_data_node(claim)) {
        let Some(number) = ordinal(claim).filter(|number| *number < running.max(kept)) else { continue };
        let left = number >= kept;
        if left != label(claim, HANDED_OVER_LABEL).is_some() {
            mark(client, "persistentvolumeclaims", claim, left).await?;
            claim["metadata"]["labels"][HANDED_OVER_LABEL] = if left { json!("true") } else { Value::Null };
        }
    }
    Ok(())
}

/// Lets a pod go, or no more, or notes the same of its volume; another one of its name is not meant.
async fn mark(client: &Client, resource: &str, object: &Value, may_go: bool) -> Result<(), ApiError> {
    let Key { namespace, name } = Key::of(object);
    tracing::info!(%namespace, resource, %name, may_go, "whether all blocks are elsewhere has changed");
    let value = if may_go { json!("true") } else { Value::Null };
    let patch = json!({"metadata": {"uid": object["metadata"]["uid"], "labels": {HANDED_OVER_LABEL: value}}});
    match client.patch(&path("", "v1", &namespace, resource, &name), &patch, ContentKind::MergePatch).await {
        Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_manifest::hdfs::DATA_NODE;
    use emberyard_model::hdfs::COMPONENT_LABEL;

    #[test]
    fn too_many_stay_until_the_last_ones_have_left() {
        let pod = |number: u32, left: bool| {
            let mut labels = json!({COMPONENT_LABEL: DATA_NODE});
            if left {
                labels[HANDED_OVER_LABEL] = json!("true");
            }
            json!({"metadata": {"name": format!("a-datanode-{number}"), "labels": labels}})
        };
        let table = [
            // Wanted, running, who has left; kept.
            (3, 5, vec![3, 4], 3),
            (3, 5, vec![4], 4),
            (3, 5, vec![3], 5),
            (3, 5, vec![], 5),
            (3, 3, vec![2], 3),
            (5, 3, vec![2], 5),
        ];
        for (wanted, running, left, kept_now) in table {
            let pods: Vec<Value> = (0..running).map(|number| pod(number, left.contains(&number))).collect();
            let pods: Vec<&Value> = pods.iter().collect();
            assert_eq!(kept(wanted, running, &pods), kept_now, "{wanted} {running} {left:?}");
        }
    }

    #[test]
    fn only_pods_with_an_address_are_known_to_name_nodes() {
        let pod = |part: &str, address: Value, phase: &str| {
            json!({
                "metadata": {"name": "a-datanode-0", "uid": "1", "labels": {COMPONENT_LABEL: part}},
                "spec": {"nodeName": "node-1"}, "status": {"podIP": address, "phase": phase},
            })
        };
        let emptied = BTreeSet::from(["node-1"]);
        let data_node = |pod: &Value, emptied: &BTreeSet<&str>| data_node(pod, emptied, 1);
        let found = data_node(&pod(DATA_NODE, json!("10.42.1.3"), "Running"), &emptied).unwrap();
        assert!(found.asked && !found.ready && !found.ends);
        assert!(!data_node(&pod(DATA_NODE, json!("10.42.1.3"), "Running"), &BTreeSet::new()).unwrap().asked);
        for (part, address, phase) in [
            ("namenode", json!("10.42.1.3"), "Running"),
            (DATA_NODE, Value::Null, "Pending"),
            (DATA_NODE, json!("10.42.1.3"), "Failed"),
        ] {
            assert_eq!(data_node(&pod(part, address, phase), &emptied), None, "{part} {phase}");
        }
    }
}
