//! `xtask load`: asks an API server as fast as it answers. A program of its own, so that it can be built in release mode
//! and speak for both sides of a comparison.

mod creates;
mod fan;

use emberyard_client::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";
const ACCOUNT: &str = "/api/v1/namespaces/default/serviceaccounts/default";

/// What it prints.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Answered writes.
    pub per_second: f64,
    /// Of a write's answer, or of an event's delivery.
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Runs `creates KUBECONFIG WRITERS EACH` or `fan KUBECONFIG WATCHERS PODS`.
pub fn run(words: &[&str]) -> Result<(), String> {
    let &[kind, kubeconfig, first, second] = words else {
        return Err("load wants `creates KUBECONFIG WRITERS EACH` or `fan KUBECONFIG WATCHERS PODS`".to_owned());
    };
    let number = |word: &str| word.parse::<usize>().map_err(|error| format!("{word}: {error}"));
    let (first, second) = (number(first)?, number(second)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let kubeconfig = Path::new(kubeconfig);
    let figures = match kind {
        "creates" => runtime.block_on(creates::run(kubeconfig, first, second))?,
        "fan" => runtime.block_on(fan::run(kubeconfig, first, second))?,
        other => return Err(format!("there is no load {other}")),
    };
    let text = serde_json::to_string(&figures).map_err(|error| error.to_string())?;
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).map_err(|error| error.to_string())
}

/// Connections, one each, open before a clock runs.
async fn clients(kubeconfig: &Path, count: usize) -> Result<Vec<Client>, String> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let client = Client::from_kubeconfig(kubeconfig).await.map_err(|error| error.to_string())?;
        // Pods are admitted once their service account is there.
        let account = async {
            while client.find(ACCOUNT).await.map_err(|error| error.to_string())?.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok::<(), String>(())
        };
        let there = tokio::time::timeout(Duration::from_secs(20), account).await;
        there.map_err(|_| "the namespace has no default service account".to_owned())??;
        clients.push(client);
    }
    Ok(clients)
}

fn figures(mut times: Vec<Duration>, writes: usize, taken: Duration) -> Figures {
    times.sort_unstable();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    Figures { per_second: writes as f64 / taken.as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) }
}

/// A pod that no scheduler places: nothing but the write is measured.
fn pod(name: &str, label: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"load": label}},
        "spec": {
            "schedulerName": "nobody",
            "containers": [{"name": "main", "image": "none", "command": ["true"],
                "env": [{"name": "A", "value": "1"}], "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_sorted_times() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let figures = figures(times, 100, Duration::from_secs(2));
        assert_eq!((figures.per_second, figures.p50_ms, figures.p99_ms), (50.0, 51.0, 100.0));
    }
}
