//! An HDFS: from nothing to writable and whole, its memory at rest, and what a writer feels when NameNodes die.

use super::context::{said, told};
use super::lab::Lab;
use super::record::{Limit, Measure, Unit};
use super::yard::{PATIENCE, Yard};
use super::{Benchmark, hdfs_peer, processes};
use emberyard_client::Client;
use serde_json::Value;
use std::time::{Duration, Instant};

pub const BENCHMARK: Benchmark = Benchmark {
    name: "hdfs",
    about: "`emberyard hdfs create` with new volumes on two nodes: until the first small file is written by `hdfs dfs -put` in \
            the client's pod (which begins to try as soon as a NameNode is active), and until all parts are ready. Peer: the \
            same fourteen JVMs, image and settings as plain processes of one pod, started by a script in the best order known; \
            its file is written the same way, and it is whole when the second NameNode stands by with its controller. One at \
            a time, alternating. Memory: sum of PSS of the fourteen JVMs, 20 s after all are ready. Stalls: the longest time \
            a writer waited while the active NameNode, or its whole pod, was killed (`emberyard chaos`).",
    rounds: 3,
    run,
};

/// The HDFS's name.
pub const NAME: &str = "bench-hdfs";
/// In the command line of the canary, which is no part of what an HDFS needs.
const CANARY: &str = "dev.emberyard.canary.Canary";
/// Waits for an active NameNode and writes a file; nothing but the JVM of the writing is started.
const FIRST: &str = ". /etc/hdfs/ask.sh\n\
    until (exec 3<> \"/dev/tcp/$NAME_NODE_0/$NAME_NODE_WEB_PORT\") 2> /dev/null; do sleep 0.1; done\n\
    until [ \"$(name_node_state \"$NAME_NODE_0\")\" = active ]; do sleep 0.1; done\n\
    until echo first | hdfs dfs -put -f - /first 2> /dev/null; do sleep 0.2; done";
/// NameNodes killed a round.
const KILLS: usize = 6;

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let yard = Yard::new(lab, "hdfs")?;
    yard.up(&["--nodes", "2..2", "--node-shape", "cpu=4,memory=6Gi"])?;
    yard.run(&["hdfs", "create", NAME], Duration::from_secs(1800))?; // makes an image that is not there
    let settings = lab.wait(settings(&yard))??;
    delete(lab, &yard)?;
    let (mut ours, mut peers) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    let (mut memory, mut canaries, mut stalls) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..lab.rounds {
        let peer = |peers: &mut [Vec<f64>; 2]| -> Result<(), String> {
            let log = hdfs_peer::run(lab, &yard, &settings)?;
            for (samples, word) in peers.iter_mut().zip(["writable ", "complete "]) {
                let ms: f64 =
                    told(&log, word).ok_or_else(|| format!("the peer was never {word}; it printed:\n{log}"))?;
                samples.push(ms / 1000.0);
                said(&format!("peer {word}"), samples);
            }
            Ok(())
        };
        // Who begins changes with the round.
        if round % 2 == 1 {
            peer(&mut peers)?;
        }
        for (samples, seconds) in ours.iter_mut().zip(create(lab, &yard)?) {
            samples.push(seconds);
            said("created", samples);
        }
        lab.pause(Duration::from_secs(20))?;
        let canary = processes::java(&yard.dir(), CANARY);
        canaries.push(canary as f64 / 1e6);
        memory.push((processes::java(&yard.dir(), "/opt/hadoop/lib/") - canary) as f64 / 1e6);
        said("memory", &memory);
        stalls.extend(kills(&yard, round)?);
        delete(lab, &yard)?;
        if round % 2 == 0 {
            peer(&mut peers)?;
        }
    }
    let [writable, whole] = ours;
    let [peer_writable, peer_whole] = peers;
    let name = "by hand, plain processes";
    let (kills, felt) = (stalls.len(), of_hundred(&stalls, 95));
    Ok(vec![
        Measure::new("new until writable", Unit::Seconds, writable)?
            .against(name, peer_writable)?
            .limited(Limit::Ratio(1.3)),
        Measure::new("new until all parts are ready", Unit::Seconds, whole)?.against(name, peer_whole)?,
        Measure::new("memory of 14 JVMs at rest", Unit::Megabytes, memory)?.limited(Limit::Value(1200.0)),
        Measure::new("memory of the canary beside them", Unit::Megabytes, canaries)?,
        Measure::new("writer's longest stall as a NameNode dies", Unit::Milliseconds, stalls)?
            .limited(Limit::Value(5000.0))
            .noted(format!(
                "{kills} deaths; 95 of 100 at most {felt:.0} ms, where 5000 are promised, and 10000 for the longest"
            )),
    ])
}

/// Seconds until writable, and until all is ready.
fn create(lab: &Lab, yard: &Yard<'_>) -> Result<[f64; 2], String> {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let whole = scope.spawn(|| yard.run(&["hdfs", "create", NAME], PATIENCE));
        let written = lab.wait(client_pod(yard)).and_then(|pod| pod).and_then(|pod| {
            let kubeconfig = yard.kubeconfig();
            let environment = [("KUBECONFIG", kubeconfig.as_path())];
            let words = ["exec", &pod, "-c", "client", "--", "bash", "-c", FIRST];
            lab.run(&crate::tools::kubectl()?, &words, &environment, PATIENCE)
        });
        let writable = begun.elapsed().as_secs_f64();
        let (_, whole) = whole.join().map_err(|_| "the creating thread ended".to_owned())??;
        written.map(|_| [writable, whole])
    })
}

/// The client's pod, as soon as it runs.
async fn client_pod(yard: &Yard<'_>) -> Result<String, String> {
    let client = Client::from_kubeconfig(&yard.kubeconfig()).await.map_err(|error| error.to_string())?;
    let selector = format!("app=hdfs-client,release={NAME}");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let listed = client.list("/api/v1/namespaces/default/pods", &[("labelSelector", &selector)]).await;
        let pods = listed.map_err(|error| error.to_string())?.0;
        let running = pods.iter().find(|pod| pod["status"]["phase"] == "Running");
        if let Some(name) = running.and_then(|pod| pod["metadata"]["name"].as_str()) {
            return Ok(name.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("no client's pod runs after {} s", PATIENCE.as_secs()))
}

/// The configuration of our side's parts, for the peer's.
async fn settings(yard: &Yard<'_>) -> Result<Value, String> {
    let client = Client::from_kubeconfig(&yard.kubeconfig()).await.map_err(|error| error.to_string())?;
    let path = format!("/api/v1/namespaces/default/configmaps/{NAME}-config");
    Ok(client.get(&path, &[]).await.map_err(|error| error.to_string())?["data"].clone())
}

/// Deletes the HDFS and its files, and waits until no JVM of it is left.
fn delete(lab: &Lab, yard: &Yard<'_>) -> Result<(), String> {
    yard.run(&["hdfs", "delete", NAME, "--volumes"], PATIENCE)?;
    lab.until("the HDFS is gone", PATIENCE, || Ok(processes::java(&yard.dir(), "/opt/hadoop/lib/") == 0))
}

/// Kills NameNodes and their pods while files are written; the writer's stalls in milliseconds.
fn kills(yard: &Yard<'_>, round: usize) -> Result<Vec<f64>, String> {
    let (seed, count) = (round.to_string(), KILLS.to_string());
    let words = ["chaos", "namenode,namenode-pod", "--seed", &seed, "--count", &count, "--keep", "-o", "json"];
    let (text, _) = yard.run(&words, Duration::from_secs(1800))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| format!("the rehearsal's report: {error}"))?;
    let happenings = report["happenings"].as_array().into_iter().flatten();
    Ok(happenings.filter_map(|one| one["wrote"]["longestStallMs"].as_f64()).collect())
}

fn of_hundred(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_five_of_twenty_is_the_last_but_one() {
        let samples: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let of = |percent| of_hundred(&samples, percent);
        assert_eq!((of(95), of(100), of_hundred(&[], 95)), (19.0, 20.0, 0.0));
    }
}
