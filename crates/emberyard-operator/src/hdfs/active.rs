//! Which NameNode is active, by what each says of itself.

use emberyard_client::Client;
use emberyard_model::hdfs::NAME_NODE_WEB_PORT;
use serde_json::Value;
use std::time::Duration;

/// A NameNode that does not answer within this is not active.
const PATIENCE: Duration = Duration::from_secs(2);
const STATUS: [(&str, &str); 1] = [("qry", "Hadoop:service=NameNode,name=NameNodeStatus")];

/// The first of these pods whose NameNode says that it is active.
pub async fn find<'a>(client: &Client, namespace: &str, pods: impl Iterator<Item = &'a str>) -> Option<String> {
    for pod in pods {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{NAME_NODE_WEB_PORT}/proxy/jmx");
        let answer = tokio::time::timeout(PATIENCE, client.get(&path, &STATUS)).await;
        if answer.is_ok_and(|answer| answer.is_ok_and(|page| says_active(&page))) {
            return Some(pod.to_owned());
        }
    }
    None
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
