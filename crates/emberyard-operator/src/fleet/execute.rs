//! Carries a plan out, step by step, without choices of its own.

use crate::config::FleetConfig;
use emberyard_client::{ApiError, Client, ContentKind};
use emberyard_cloud::{NodeRequest, Provider};
use emberyard_model::{NodeName, Timestamp};
use emberyard_plan::{NodeState, Plan, Shape, Standing, Step, World, observe};
use serde_json::json;

/// Carries out every step; a step that fails is decided anew in the next round. Gives the nodes that were removed.
pub async fn execute(
    client: &Client,
    FleetConfig { provider, policy }: &FleetConfig,
    plan: &Plan,
    world: &World,
    now: Timestamp,
) -> Vec<NodeName> {
    let mut removed = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        match step {
            Step::Add { name: _, shape, count, for_gang } => {
                let Some(shape) = policy.shapes.iter().find(|known| known.name == *shape) else { continue };
                tracing::info!(
                    shape = shape.name,
                    count,
                    gang = for_gang.as_ref().map(tracing::field::display),
                    "nodes are added"
                );
                for ordinal in 0..*count {
                    let id = format!("{}-{number}-{ordinal}", now.0);
                    if let Err(error) = provider.launch(request(id, shape)).await {
                        tracing::warn!(%error, shape = shape.name, "no node");
                        break;
                    }
                }
            }
            Step::Remove { node } => match remove(client, provider.as_ref(), node, world).await {
                Ok(true) => {
                    tracing::info!(%node, "removed");
                    removed.push(node.clone());
                }
                Ok(false) => tracing::info!(%node, "got work in the last moment and stays"),
                Err(error) => tracing::warn!(%node, error, "not removed yet"),
            },
        }
    }
    removed
}

fn request(id: String, shape: &Shape) -> NodeRequest {
    let Shape { name, allocatable, labels, taints: _ } = shape;
    NodeRequest { id, shape: name.clone(), resources: allocatable.base, labels: labels.clone() }
}

/// Takes a node out of service, looks once more whether it is empty, and ends it. A node that does not work is ended at once.
async fn remove(client: &Client, provider: &dyn Provider, node: &NodeName, world: &World) -> Result<bool, String> {
    let path = format!("/api/v1/nodes/{node}");
    let state = world.nodes.iter().find(|known| known.name == *node).map(|known| known.state);
    let works = matches!(state, Some(NodeState::Ready | NodeState::Draining));
    if works {
        cordon(client, &path, true).await.map_err(|error| error.to_string())?;
        if !is_empty(client, node).await.map_err(|error| error.to_string())? {
            cordon(client, &path, false).await.map_err(|error| error.to_string())?;
            return Ok(false);
        }
    }
    // First the machine, then its entry: no pod may run on a node that the cluster has forgotten.
    provider.terminate(node.clone()).await.map_err(|error| error.to_string())?;
    client.delete(&path).await.map_err(|error| error.to_string())?;
    Ok(true)
}

async fn cordon(client: &Client, path: &str, unschedulable: bool) -> Result<(), ApiError> {
    let patch = json!({"spec": {"unschedulable": unschedulable}});
    client.patch(path, &patch, ContentKind::MergePatch).await.map(drop)
}

/// Asks the API server itself: the watch may be behind.
async fn is_empty(client: &Client, node: &NodeName) -> Result<bool, ApiError> {
    let (pods, _) = client.list("/api/v1/pods", &[("fieldSelector", &format!("spec.nodeName={node}"))]).await?;
    Ok(pods.iter().filter_map(observe::pod).all(|pod| pod.standing == Standing::Daemon))
}
