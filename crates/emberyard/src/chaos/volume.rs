//! A pod that fills a volume of its own: it is evicted, and nobody else is.

use super::Scene;
use emberyard_sim::Strike;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Agents look at disks each five seconds; the pod must come up before.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs such a pod, waits for its end, and removes it.
pub async fn strike(scene: &Scene, strike: &Strike) -> Result<String, String> {
    let pods = format!("/api/v1/namespaces/{}/pods", scene.stage.notebook().namespace);
    let name = format!("rehearsal-{}", strike.number);
    let pod = pod(&name, &image(scene, &pods).await?);
    let client = scene.stage.client();
    client.create(&pods, &pod).await.map_err(|error| error.to_string())?;
    let outcome = evicted(scene, &name).await;
    let removed = client.delete(&format!("{pods}/{name}")).await.map_err(|error| format!("{name} stays: {error}"));
    outcome.and_then(|said| removed.map(|()| said))
}

/// The notebook's own: it is there.
async fn image(scene: &Scene, pods: &str) -> Result<String, String> {
    let path = format!("{pods}/{}-0", scene.stage.notebook().name);
    let pod = scene.stage.client().get(&path, &[]).await.map_err(|error| error.to_string())?;
    let image = pod["spec"]["containers"][0]["image"].as_str();
    image.map(str::to_owned).ok_or_else(|| "the notebook's pod has no image".to_owned())
}

fn pod(name: &str, image: &str) -> Value {
    let fill = "head -c 64M /dev/zero > /full/file; exec sleep 600";
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{
            "name": "greedy", "image": image, "command": ["sh", "-c", fill],
            "volumeMounts": [{"name": "full", "mountPath": "/full"}],
        }],
        "volumes": [{"name": "full", "emptyDir": {"sizeLimit": "16Mi"}}],
    }})
}

async fn evicted(scene: &Scene, name: &str) -> Result<String, String> {
    let begun = Instant::now();
    loop {
        let pods = scene.stage.pods().await.map_err(|failure| failure.to_string())?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let others = pods.iter().filter(|pod| pod["status"]["reason"] == "Evicted" && pod["metadata"]["name"] != name);
        if let Some(other) = others.map(|pod| text(&pod["metadata"]["name"])).next() {
            return Err(format!("{other} was evicted for what {name} did"));
        }
        let own = pods.iter().find(|pod| pod["metadata"]["name"] == name).ok_or_else(|| format!("{name} is gone"))?;
        let (reason, message) = (text(&own["status"]["reason"]), text(&own["status"]["message"]));
        if reason == "Evicted" && message.contains("exceeds the limit") {
            return Ok(format!("a volume on {}", text(&own["spec"]["nodeName"])));
        }
        if begun.elapsed() > PATIENCE {
            let phase = text(&own["status"]["phase"]);
            return Err(format!("{name} was not evicted in {} s: {phase} {reason} {message}", PATIENCE.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
