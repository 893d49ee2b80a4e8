//! What NameNodes say: which of them is active, and what becomes of DataNodes and blocks.

use emberyard_client::Client;
use emberyard_model::hdfs::NAME_NODE_WEB_PORT;
use emberyard_plan::hdfs::View;
use serde_json::Value;
use std::time::Duration;

/// A NameNode that does not answer within this is not active.
const PATIENCE: Duration = Duration::from_secs(2);

/// The first of these pods whose NameNode says that it is active.
pub async fn active<'a>(client: &Client, namespace: &str, pods: impl Iterator<Item = &'a str>) -> Option<String> {
    for pod in pods {
        if ask(client, namespace, pod, "NameNodeStatus").await.is_some_and(|page| says_active(&page)) {
            return Some(pod.to_owned());
        }
    }
    None
}

/// What one says of its DataNodes and blocks; none if it does not answer, or does not know yet.
pub async fn view(client: &Client, namespace: &str, pod: &str) -> Option<View> {
    let info = ask(client, namespace, pod, "NameNodeInfo").await?;
    let state = ask(client, namespace, pod, "FSNamesystemState").await?;
    View::read(&info, &state)
}

async fn ask(client: &Client, namespace: &str, pod: &str, bean: &str) -> Option<Value> {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{NAME_NODE_WEB_PORT}/proxy/jmx");
    let query = format!("Hadoop:service=NameNode,name={bean}");
    tokio::time::timeout(PATIENCE, client.get(&path, &[("qry", &query)])).await.ok()?.ok()
}

fn says_active(page: &Value) -> bool {
    page["beans"].as_array().into_iter().flatten().any(|bean| bean["State"] == "active")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_node_that_loads_has_no_state() {
        assert!(says_active(&json!({"beans": [{"State": "active"}]})));
        assert!(!says_active(&json!({"beans": [{"State": "standby"}]})));
        assert!(!says_active(&json!({"beans": []})));
    }
}
