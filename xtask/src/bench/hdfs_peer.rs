//! The other side of the benchmark of HDFS: its JVMs started by hand, alone in a pod of the same image.

use super::hdfs::NAME;
use super::lab::Lab;
use super::yard::{PATIENCE, Yard};
use emberyard_client::{ApiError, Client};
use serde_json::{Value, json};
use std::time::Duration;

const NAMESPACE: &str = "/api/v1/namespaces/default";
const PEER: &str = "peer-hdfs";
/// What the script says last.
const END: &str = "complete ";

/// Starts one with these settings and removes it; what it told.
pub fn run(lab: &Lab, yard: &Yard<'_>, settings: &Value) -> Result<String, String> {
    let kubeconfig = yard.kubeconfig();
    lab.wait(async {
        let client = Client::from_kubeconfig(&kubeconfig).await.map_err(|error| error.to_string())?;
        let told = tell(&client, settings).await;
        let removed = remove(&client).await;
        told.and_then(|log| removed.map(|()| log))
    })?
}

async fn tell(client: &Client, settings: &Value) -> Result<String, String> {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": PEER}, "data": settings});
    client.create(&format!("{NAMESPACE}/configmaps"), &map).await.map_err(api)?;
    client.create(&format!("{NAMESPACE}/pods"), &pod()).await.map_err(api)?;
    let ended = tokio::time::timeout(PATIENCE, async {
        loop {
            let phase =
                client.get(&format!("{NAMESPACE}/pods/{PEER}"), &[]).await.map_err(api)?["status"]["phase"].clone();
            if phase == "Running" || phase == "Failed" {
                let log = client.get_bytes(&format!("{NAMESPACE}/pods/{PEER}/log"), &[]).await.map_err(api)?;
                let log = String::from_utf8_lossy(&log).into_owned();
                if log.lines().any(|line| line.starts_with(END)) {
                    return Ok(log);
                }
                if phase == "Failed" {
                    return Err(format!("the peer failed:\n{log}"));
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    ended.await.map_err(|_| format!("the peer was not whole within {} s", PATIENCE.as_secs()))?
}

/// The script ends when all runs; what it started would end with it.
fn pod() -> Value {
    let script = format!("{}\nsleep infinity", include_str!("hdfs_peer.sh"));
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": PEER},
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
            "containers": [{
                "name": "hdfs", "image": "hdfs", "env": [{"name": "NAME", "value": NAME}],
                "command": ["bash", "-c", script],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/peer", "readOnly": true}],
            }],
            "volumes": [{"name": "config", "configMap": {"name": PEER}}],
        },
    })
}

async fn remove(client: &Client) -> Result<(), String> {
    for path in [format!("{NAMESPACE}/pods/{PEER}"), format!("{NAMESPACE}/configmaps/{PEER}")] {
        client.delete(&path).await.map_err(api)?;
        while client.find(&path).await.map_err(api)?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

fn api(error: ApiError) -> String {
    error.to_string()
}
