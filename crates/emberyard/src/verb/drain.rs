//! `node drain`: a node is emptied. What holds it up is said, and waited for as long as something changes.

use crate::api::{admin, api};
use crate::error::Failure;
use crate::progress::Step;
use crate::yard::YardDir;
use emberyard_client::{Client, ContentKind, path};
use emberyard_manifest::hdfs::is_data_node;
use emberyard_model::hdfs::{HDFS_CLUSTERS, HDFS_LABEL};
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_model::{Condition, HdfsStatus};
use emberyard_object::view::Meta;
use emberyard_plan::hdfs::{REMOVAL, TOO_FEW};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// So long nothing may change before it is given up: a copy that failed is made anew only after DataNodes have told all they have.
const PATIENCE: Duration = Duration::from_mins(5);
/// So long a refusal must stand: the operator may not have looked since the node was marked.
const REFUSED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(300);

/// Marks the node unschedulable, evicts its pods and waits until they are gone.
pub async fn run(dir: &YardDir, node: &str) -> Result<(), Failure> {
    let client = admin(dir).await?;
    let unschedulable = json!({"spec": {"unschedulable": true}});
    client.patch(&path("", "v1", "", "nodes", node), &unschedulable, ContentKind::MergePatch).await.map_err(api)?;
    let mut step = Step::begin(format!("node {node} is emptied"));
    let selector = format!("spec.nodeName={node}");
    let (mut seen, mut changed, mut refused) = (None, Instant::now(), None);
    loop {
        let (pods, _) = client.list("/api/v1/pods", &[("fieldSelector", &selector)]).await.map_err(api)?;
        if pods.is_empty() {
            step.done(&format!("node {node} is empty"));
            return Ok(());
        }
        for pod in pods.iter().filter(|pod| !Meta(pod).is_deleting()) {
            evict(&client, pod).await?;
        }
        let holds = holds(&client, &pods).await?;
        let what = told(&pods, &holds);
        step.update(&what);
        // Other pods have time to end before a refusal of those that stay is the answer.
        let is_refused =
            !holds.is_empty() && pods.iter().all(is_data_node) && holds.iter().all(|one| one.reason == TOO_FEW);
        let now = Instant::now();
        refused = if is_refused { refused.or(Some(now)) } else { None };
        let left: BTreeSet<String> = pods.iter().map(|pod| Meta(pod).uid().to_owned()).collect();
        let sight = Some((left, what.clone()));
        if sight != seen {
            (seen, changed) = (sight, now);
        }
        let is_over = refused.is_some_and(|since| now.duration_since(since) > REFUSED);
        if is_over || now.duration_since(changed) > PATIENCE {
            return Err(Failure::Drain { node: node.to_owned(), why: what });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks a pod to go. What may not go for now is asked again.
async fn evict(client: &Client, pod: &Value) -> Result<(), Failure> {
    let (namespace, name) = (Meta(pod).namespace(), Meta(pod).name());
    let eviction =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}});
    match client.create(&format!("{}/eviction", path("", "v1", namespace, "pods", name)), &eviction).await {
        Err(error) if !error.is_not_found() && error.status != 429 => Err(api(error)),
        _ => Ok(()),
    }
}

/// What HDFS say of their DataNodes among these pods.
async fn holds(client: &Client, pods: &[Value]) -> Result<Vec<Condition>, Failure> {
    let clusters: BTreeSet<(&str, &str)> = pods
        .iter()
        .filter(|pod| is_data_node(pod))
        .filter_map(|pod| Some((Meta(pod).namespace(), Meta(pod).label(HDFS_LABEL)?)))
        .collect();
    let mut holds = Vec::new();
    for (namespace, name) in clusters {
        let cluster = client.find(&path(GROUP, VERSION, namespace, HDFS_CLUSTERS, name)).await.map_err(api)?;
        let conditions = cluster.map(|cluster| HdfsStatus::of(&cluster).conditions).unwrap_or_default();
        holds.extend(conditions.into_iter().filter(|condition| condition.kind == REMOVAL));
    }
    Ok(holds)
}

/// What stays, and what HDFS say about it.
fn told(pods: &[Value], holds: &[Condition]) -> String {
    let names: Vec<String> = pods.iter().map(|pod| format!("{}/{}", Meta(pod).namespace(), Meta(pod).name())).collect();
    let mut words = vec![match names.as_slice() {
        [one] => format!("{one} is still there."),
        [first, .., last] => format!("{} pods are still there, {first} to {last}.", names.len()),
        [] => String::new(),
    }];
    words.extend(holds.iter().map(|condition| condition.message.clone()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_node_up_is_said() {
        let pod = |name: &str| json!({"metadata": {"name": name, "namespace": "d"}});
        let hold = Condition {
            kind: REMOVAL.to_owned(),
            status: "False".to_owned(),
            reason: "Copying".to_owned(),
            message: "Blocks are being copied.".to_owned(),
            last_transition_time: String::new(),
        };
        assert_eq!(told(&[pod("a")], &[]), "d/a is still there.");
        assert_eq!(
            told(&[pod("a"), pod("b"), pod("c")], &[hold]),
            "3 pods are still there, d/a to d/c. Blocks are being copied."
        );
    }
}
