//! Writers that create pods, each one after the other.

use super::{Figures, PODS, clients, figures, pod};
use emberyard_client::Client;
use std::path::Path;
use std::time::{Duration, Instant};

pub async fn run(kubeconfig: &Path, writers: usize, each: usize) -> Result<Figures, String> {
    let clients = clients(kubeconfig, writers).await?;
    let begun = Instant::now();
    let start = |(number, client)| tokio::spawn(write(client, each, format!("of-{writers}-{number}")));
    let tasks: Vec<_> = clients.into_iter().enumerate().map(start).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.map_err(|error| error.to_string())??);
    }
    Ok(figures(times, writers * each, begun.elapsed()))
}

async fn write(client: Client, each: usize, prefix: String) -> Result<Vec<Duration>, String> {
    let mut times = Vec::new();
    for turn in 0..each {
        let pod = pod(&format!("{prefix}-{turn}"), "creates");
        let begun = Instant::now();
        client.create(PODS, &pod).await.map_err(|error| error.to_string())?;
        times.push(begun.elapsed());
    }
    Ok(times)
}
