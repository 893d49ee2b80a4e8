//! The other side of the benchmarks of sessions: stock Spark, alone in a pod of the same image.

use super::lab::Lab;
use super::yard::Yard;
use emberyard_client::{ApiError, Client};
use serde_json::json;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";
const STOCK: &str = "stock-spark";
/// Gives Spark a home that it may write to.
const HOME: &str = include_str!("stock.py");

/// Runs Python in a pod of its own, which no notebook's kernel has prepared anything for; its log.
pub fn run(lab: &Lab, yard: &Yard<'_>, code: &str, patience: Duration) -> Result<String, String> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": STOCK, "namespace": "default"},
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
            "containers": [{
                "name": "spark", "image": "pyspark-notebook", "env": [{"name": "HOME", "value": "/tmp"}],
                "command": ["python3", "-c", format!("{HOME}{code}")],
            }],
        },
    });
    let path = format!("{PODS}/{STOCK}");
    let kubeconfig = yard.kubeconfig();
    let played = lab.wait(async {
        let client = Client::from_kubeconfig(&kubeconfig).await.map_err(|error| error.to_string())?;
        let api = |error: ApiError| error.to_string();
        client.create(PODS, &pod).await.map_err(api)?;
        let ended = tokio::time::timeout(patience, async {
            loop {
                let phase = client.get(&path, &[]).await.map_err(api)?["status"]["phase"].clone();
                if phase == "Succeeded" || phase == "Failed" {
                    return Ok::<(), String>(());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        ended.await.map_err(|_| format!("stock Spark did not end within {} s", patience.as_secs()))??;
        let log = client.get_bytes(&format!("{path}/log"), &[]).await.map_err(api)?;
        client.delete(&path).await.map_err(api)?;
        while client.find(&path).await.map_err(api)?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(String::from_utf8_lossy(&log).into_owned())
    });
    played.and_then(|log| log)
}
