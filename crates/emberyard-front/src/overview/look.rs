//! From the cluster's objects.

use super::{Node, Notebook, Overview, Pod};
use emberyard_client::{Client, path};
use emberyard_model::notebook::{GROUP, NOTEBOOKS, VERSION};
use serde_json::Value;

/// Asks the cluster; the text says what it refused.
pub async fn look(client: &Client) -> Result<Overview, String> {
    let told = |error: emberyard_client::ApiError| error.to_string();
    let (nodes, _) = client.list("/api/v1/nodes", &[]).await.map_err(told)?;
    let (pods, _) = client.list("/api/v1/pods", &[]).await.map_err(told)?;
    let (notebooks, _) = client.list(&path(GROUP, VERSION, "", NOTEBOOKS, ""), &[]).await.map_err(told)?;
    Ok(of_objects(&nodes, &notebooks, &pods))
}

fn of_objects(nodes: &[Value], notebooks: &[Value], pods: &[Value]) -> Overview {
    let pods: Vec<Pod> = pods.iter().map(pod).collect();
    let node = |object: &Value| {
        let name = text(&object["metadata"]["name"]);
        let over = |pod: &Pod| matches!(pod.phase.as_str(), "Succeeded" | "Failed");
        Node {
            state: node_state(object),
            cpu: text(&object["status"]["capacity"]["cpu"]),
            memory: text(&object["status"]["capacity"]["memory"]),
            pods: pods.iter().filter(|pod| pod.node.as_deref() == Some(&name) && !over(pod)).count(),
            name,
        }
    };
    Overview { nodes: nodes.iter().map(node).collect(), notebooks: notebooks.iter().map(notebook).collect(), pods }
}

fn node_state(object: &Value) -> &'static str {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
    match (ready, object["spec"]["unschedulable"] == true) {
        (false, _) => "not ready",
        (true, true) => "draining",
        (true, false) => "ready",
    }
}

fn notebook(object: &Value) -> Notebook {
    Notebook {
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
        phase: object["status"]["phase"].as_str().unwrap_or("Pending").to_owned(),
        // Sessions in another program's form are not shown.
        sessions: serde_json::from_value(object["status"]["sessions"].clone()).unwrap_or_default(),
    }
}

fn pod(object: &Value) -> Pod {
    let leaving = object["metadata"]["deletionTimestamp"].is_string();
    Pod {
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
        phase: if leaving { "Terminating".to_owned() } else { text(&object["status"]["phase"]) },
        node: object["spec"]["nodeName"].as_str().map(str::to_owned),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_become_lines() {
        let condition = json!([{"type": "Ready", "status": "True"}]);
        let nodes = [
            json!({"metadata": {"name": "a"}, "status": {"conditions": condition, "capacity": {"cpu": "4", "memory": "8Gi"}}}),
            json!({"metadata": {"name": "b"}, "spec": {"unschedulable": true}, "status": {"conditions": condition}}),
            json!({"metadata": {"name": "c"}}),
        ];
        let pods = [
            json!({"metadata": {"namespace": "d", "name": "p"}, "spec": {"nodeName": "a"}, "status": {"phase": "Running"}}),
            json!({"metadata": {"namespace": "d", "name": "q"}, "spec": {"nodeName": "a"}, "status": {"phase": "Failed"}}),
            json!({"metadata": {"namespace": "d", "name": "r", "deletionTimestamp": "x"}, "status": {"phase": "Running"}}),
        ];
        let books = [
            json!({"metadata": {"namespace": "d", "name": "n"}, "status": {"sessions": [{"application": "app", "running": 2}]}}),
        ];
        let overview = of_objects(&nodes, &books, &pods);
        let states: Vec<_> = overview.nodes.iter().map(|node| (node.state, node.pods)).collect();
        assert_eq!(states, [("ready", 1), ("draining", 0), ("not ready", 0)]);
        assert_eq!(
            overview.pods.iter().map(|pod| pod.phase.as_str()).collect::<Vec<_>>(),
            ["Running", "Failed", "Terminating"]
        );
        assert_eq!((overview.notebooks[0].phase.as_str(), overview.notebooks[0].sessions[0].running), ("Pending", 2));
    }
}
