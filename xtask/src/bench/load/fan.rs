//! One writer, many watchers: how long until each has seen each pod.

use super::{Figures, PODS, clients, figures, pod};
use emberyard_client::{Client, WatchEvent};
use futures::StreamExt as _;
use std::path::Path;
use std::time::Instant;
use tokio::sync::mpsc;

pub async fn run(kubeconfig: &Path, watchers: usize, pods: usize) -> Result<Figures, String> {
    let mut clients = clients(kubeconfig, watchers + 1).await?;
    let writer = clients.pop().ok_or("no connection")?;
    let (first, mut firsts) = mpsc::unbounded_channel();
    let tasks: Vec<_> = clients.into_iter().map(|client| tokio::spawn(watch(client, pods, first.clone()))).collect();
    drop(first);
    // Once all have seen this one, all watch.
    let create =
        async |name: &str| writer.create(PODS, &pod(name, "fan")).await.map(drop).map_err(|error| error.to_string());
    create("fan-first").await?;
    for _ in 0..watchers {
        firsts.recv().await.ok_or("a watcher ended")?;
    }
    let begun = Instant::now();
    let mut sent = Vec::new();
    for turn in 0..pods {
        sent.push(Instant::now());
        create(&format!("fan-{turn}")).await?;
    }
    let written = begun.elapsed();
    let mut delays = Vec::new();
    for task in tasks {
        let seen = task.await.map_err(|error| error.to_string())?;
        delays.extend(seen.iter().zip(&sent).map(|(seen, sent)| seen.duration_since(*sent)));
    }
    Ok(figures(delays, pods, written))
}

/// When it saw each pod but the first.
async fn watch(client: Client, pods: usize, first: mpsc::UnboundedSender<()>) -> Vec<Instant> {
    let mut events = client.watch(PODS, &[("labelSelector", "load=fan")]);
    let (mut begun, mut seen) = (false, Vec::new());
    while seen.len() < pods {
        let new = match events.next().await {
            Some(WatchEvent::Added(_)) => 1,
            Some(WatchEvent::Restarted(objects)) => objects.len(),
            Some(_) => 0,
            None => break,
        };
        for _ in 0..new {
            if begun {
                seen.push(Instant::now());
            } else {
                begun = true;
                let _ = first.send(()); // whoever counts has failed otherwise
            }
        }
    }
    seen
}
