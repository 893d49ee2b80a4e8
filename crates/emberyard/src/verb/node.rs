//! `node`: list, drain, kill.

use crate::api::admin;
use crate::cli::{Form, NodeVerb};
use crate::error::Failure;
use crate::keeper::protocol::{Answer, Ask, ask};
use crate::output::{self, Listing};
use crate::verb::status;
use crate::yard::YardDir;
use emberyard_client::ContentKind;
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, Instant};

/// Runs the verb.
pub async fn run(dir: &YardDir, verb: &NodeVerb, form: Form) -> Result<(), Failure> {
    match verb {
        NodeVerb::List => {
            let nodes = Nodes { items: status::nodes(dir).await? };
            Ok(output::listing(form, &nodes)?)
        }
        NodeVerb::Drain { name } => drain(dir, name.as_str()).await,
        NodeVerb::Kill { name } => {
            match ask(&dir.keeper_socket(), &Ask::NodeKill { name: name.clone() }, Duration::from_secs(20)) {
                Ok(Answer::Done) => Ok(()),
                Ok(Answer::Refused { why }) => Err(Failure::Keeper(why)),
                Ok(_) => Err(Failure::Keeper("an answer to another question".to_owned())),
                Err(_) => Err(Failure::NoYard(dir.path().to_path_buf())),
            }
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Nodes {
    items: Vec<status::Node>,
}

impl Listing for Nodes {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["NAME", "PHASE", "PODS", "CPU", "MEMORY", "IP"], 5)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |node: &status::Node| {
            vec![
                node.name.clone(),
                node.phase.clone(),
                node.pods.to_string(),
                node.cpu.clone(),
                node.memory.clone(),
                node.ip.clone(),
            ]
        };
        self.items.iter().map(row).collect()
    }
}

/// Marks the node unschedulable, evicts its pods and waits until they are gone.
async fn drain(dir: &YardDir, name: &str) -> Result<(), Failure> {
    let client = admin(dir).await?;
    let api = |error: emberyard_client::ApiError| Failure::Api(error.to_string());
    client
        .patch(&format!("/api/v1/nodes/{name}"), &json!({"spec": {"unschedulable": true}}), ContentKind::MergePatch)
        .await
        .map_err(api)?;
    let selector = format!("spec.nodeName={name}");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(120) {
        let (pods, _) = client.list("/api/v1/pods", &[("fieldSelector", &selector)]).await.map_err(api)?;
        if pods.is_empty() {
            return Ok(());
        }
        for pod in pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()) {
            let (Some(namespace), Some(pod)) =
                (pod["metadata"]["namespace"].as_str(), pod["metadata"]["name"].as_str())
            else {
                continue;
            };
            let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}});
            match client.create(&format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction"), &eviction).await {
                Ok(_) => {}
                Err(error) if error.is_not_found() || error.status == 429 => {}
                Err(error) => return Err(api(error)),
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Err(Failure::Api(format!("pods are still on {name} after 120 s")))
}
