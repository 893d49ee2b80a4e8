//! HDFS read where it lies: tasks that are local and bytes that cross nodes' links, with and without what knows nodes.

use super::Benchmark;
use super::context::said;
use super::lab::Lab;
use super::links::{Links, crossed};
use super::record::{Limit, Measure, Unit};
use super::yard::Yard;
use emberyard_client::{ApiError, Client};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "locality",
    about: "An HDFS with four DataNodes on four nodes, blocks and tasks of 32 MiB. Each file is written once by as many \
            executors as read it, then read by sessions that know nodes and by sessions that don't \
            (`emberyard.node.prefix` 0), alternating. Tasks: share that Spark calls NODE_LOCAL, of all that read. Crossed: \
            what all nodes' links carried meanwhile by the kernel's counters, in percent of the bytes read, so everything \
            else that pods say to each other is in it. Readers: DataFrames of CSV and Parquet, and `textFile` in Python; \
            a job that reads CSV and shuffles what it read, whose links carry the shuffle, too. Last, all pods of the HDFS \
            are killed at once, and where copies are then is looked at half a minute after all serve again.",
    rounds: 1,
    run,
};

/// Copies of each block, and executors of a core each.
const CASES: [(usize, usize); 4] = [(2, 2), (2, 4), (3, 2), (3, 4)];
/// What is written in each form.
const MIB: usize = 2048;
/// Jobs that do nothing but read.
const READERS: [&str; 3] = ["csv", "parquet", "textFile"];
/// The job that shuffles what it has read.
const SHUFFLE: &str = "shuffle";
/// After all pods died: copies that were missed are made, and those that are too many removed.
const SETTLES: Duration = Duration::from_secs(30);
const PODS: &str = "/api/v1/namespaces/default/pods";
const WITHOUT: &str = "nodes not known";
/// For a session, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// What a session tells of one of its jobs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Phase {
    name: String,
    begin: f64,
    end: f64,
    tasks: u64,
    local: u64,
    bytes: u64,
    /// Of what was written.
    #[serde(default)]
    blocks: u64,
    /// Those with a copy on their writer's node.
    #[serde(default)]
    near: u64,
    #[serde(skip)]
    crossed: u64,
}

/// Blocks of a folder, and those with a copy on their writer's node.
#[derive(Debug, Deserialize)]
struct Place {
    blocks: u64,
    near: u64,
}

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let yard = Yard::new(lab, "locality")?;
    yard.up(&["--nodes", "4..4", "--node-shape", "cpu=4,memory=6Gi"])?;
    yard.run(&["hdfs", "create", "my-hdfs"], PATIENCE)?;
    spread(lab, &yard)?;
    let mut measures = Vec::new();
    for (replication, executors) in CASES {
        let name = |what: &str| format!("{replication} copies, {executors} executors: {what}");
        let (mut with, mut without, mut near) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..lab.rounds {
            let written = session(lab, &yard, &code(replication, executors, true, "yes"))?;
            let (blocks, close) = written.iter().fold((0, 0), |(all, near), one| (all + one.blocks, near + one.near));
            near.push(percent(close, blocks));
            said(&name("first copy on the writer's node, %"), &near);
            // Who begins changes with the round.
            for turn in 0..2 {
                let knows = (round + turn) % 2 == 0;
                let read = session(lab, &yard, &code(replication, executors, knows, "no"))?;
                let samples = if knows { &mut with } else { &mut without };
                samples.push(read);
                said(&name(if knows { "local tasks, %" } else { "local tasks, %, nodes not known" }), &locals(samples));
            }
        }
        measures.push(Measure::new(name("blocks with a copy on the writer's node"), Unit::Percent, near)?);
        let tasks = Measure::new(name("tasks NODE_LOCAL"), Unit::Percent, locals(&with))?;
        // Two executors on four nodes: blocks without a copy on their nodes are nobody's to read locally.
        let limit = (executors == 4).then_some(Limit::Value(95.0));
        let tasks = tasks.against(WITHOUT, locals(&without))?;
        measures.push(limit.into_iter().fold(tasks, Measure::limited));
        for reader in READERS {
            let share = |rounds: &[Vec<Phase>]| each(rounds, reader, |phase| percent(phase.crossed, phase.bytes));
            let measure = Measure::new(name(&format!("crossed, {reader}")), Unit::PercentCrossed, share(&with))?;
            measures.push(measure.against(WITHOUT, share(&without))?);
        }
        let shuffled = |rounds: &[Vec<Phase>]| each(rounds, SHUFFLE, |phase| percent(phase.local, phase.tasks));
        let measure =
            Measure::new(name("tasks NODE_LOCAL that read before a shuffle"), Unit::Percent, shuffled(&with))?;
        measures.push(measure.against(WITHOUT, shuffled(&without))?);
        let seconds = |rounds: &[Vec<Phase>]| rounds.iter().map(|phases| time(phases)).collect::<Vec<_>>();
        let measure = Measure::new(name("all four jobs"), Unit::Seconds, seconds(&with))?;
        measures.push(measure.against(WITHOUT, seconds(&without))?);
    }
    measures.push(after_all_died(lab, &yard)?);
    Ok(measures)
}

/// Where copies are after all pods of the HDFS died at once.
fn after_all_died(lab: &Lab, yard: &Yard<'_>) -> Result<Measure, String> {
    for pod in pods(lab, yard, "release=my-hdfs")? {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{PODS}/{name}?gracePeriodSeconds=0");
        api(lab, yard, async |client| client.delete(&path).await)?;
    }
    spread(lab, yard)?;
    lab.pause(SETTLES)?;
    let mut places = Vec::new();
    for (replication, executors) in CASES.into_iter().filter(|case| case.1 == 2) {
        let printed = yard.kernel(&code(replication, executors, true, "look"), PATIENCE)?;
        for line in printed.lines().filter_map(|line| line.strip_prefix("placed ")) {
            let Place { blocks, near } = serde_json::from_str(line).map_err(|error| format!("{error}: {printed}"))?;
            places.push(percent(near, blocks));
        }
    }
    said("first copy on the writer's node after all pods died, %", &places);
    Measure::new("blocks with a copy on the writer's node after all pods died", Unit::Percent, places)
}

/// Waits until every node has a DataNode. A node that was silent while they came got none, so surplus ones come again.
fn spread(lab: &Lab, yard: &Yard<'_>) -> Result<(), String> {
    lab.until("every node has a DataNode that serves", PATIENCE, || {
        let mut nodes = BTreeSet::new();
        for pod in pods(lab, yard, "app=hdfs-datanode")? {
            let [node, name] =
                ["/spec/nodeName", "/metadata/name"].map(|path| pod.pointer(path).and_then(Value::as_str));
            let leaves = !pod["metadata"]["deletionTimestamp"].is_null();
            if let (Some(node), Some(name)) = (node, name)
                && !nodes.insert(node.to_owned())
                && !leaves
            {
                let path = format!("{PODS}/{name}");
                api(lab, yard, async |client| client.delete(&path).await.map(drop))?;
            }
        }
        Ok(nodes.len() == 4 && yard.run(&["status"], PATIENCE)?.0.contains("my-hdfs Ready"))
    })
}

fn pods(lab: &Lab, yard: &Yard<'_>, selector: &str) -> Result<Vec<Value>, String> {
    api(lab, yard, async |client| Ok(client.list(PODS, &[("labelSelector", selector)]).await?.0))
}

fn api<T>(lab: &Lab, yard: &Yard<'_>, ask: impl AsyncFnOnce(&Client) -> Result<T, ApiError>) -> Result<T, String> {
    lab.wait(async {
        let client = Client::from_kubeconfig(&yard.kubeconfig()).await.map_err(|error| error.to_string())?;
        ask(&client).await.map_err(|error| error.to_string())
    })?
}

/// A session's jobs, each with what crossed meanwhile.
fn session(lab: &Lab, yard: &Yard<'_>, code: &str) -> Result<Vec<Phase>, String> {
    lab.until("executors before are gone", Duration::from_secs(60), || {
        Ok(pods(lab, yard, "spark-role=executor")?.is_empty())
    })?;
    let links = Links::watch(&yard.dir());
    let printed = yard.kernel(code, PATIENCE)?;
    let samples = links.samples();
    let mut phases = told(&printed)?;
    for phase in &mut phases {
        let bytes = crossed(&samples, phase.begin - 0.5, phase.end + 0.5);
        phase.crossed = bytes.ok_or_else(|| format!("the links were not looked at during {}", phase.name))?;
    }
    Ok(phases)
}

fn told(printed: &str) -> Result<Vec<Phase>, String> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("measured "));
    let phases: Result<Vec<Phase>, _> = lines.map(serde_json::from_str).collect();
    let phases = phases.map_err(|error| format!("{error}: {printed}"))?;
    if phases.is_empty() || phases.iter().any(|phase| phase.tasks == 0 || phase.bytes == 0) {
        return Err(format!("a job was not measured:\n{printed}"));
    }
    Ok(phases)
}

/// Share of local tasks, by round.
fn locals(rounds: &[Vec<Phase>]) -> Vec<f64> {
    let share = |phases: &Vec<Phase>| {
        percent(phases.iter().map(|phase| phase.local).sum(), phases.iter().map(|phase| phase.tasks).sum())
    };
    rounds.iter().map(share).collect()
}

/// Something of one reader, by round.
fn each(rounds: &[Vec<Phase>], reader: &str, of: impl Fn(&Phase) -> f64) -> Vec<f64> {
    let is_readers = |phase: &&Phase| phase.name == format!("read {reader}");
    rounds.iter().flatten().filter(is_readers).map(of).collect()
}

fn time(phases: &[Phase]) -> f64 {
    phases.iter().map(|phase| phase.end - phase.begin).sum()
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// `write`: "yes" to write, "no" to read, "look" to tell where copies are.
fn code(replication: usize, executors: usize, knows: bool, write: &str) -> String {
    let template = include_str!("locality.py").replace("@SHIM@", if knows { "on" } else { "off" });
    let template = template.replace("@WRITE@", write).replace("@MIB@", &MIB.to_string());
    template.replace("@REPLICATION@", &replication.to_string()).replace("@EXECUTORS@", &executors.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_run_the_same_code_but_for_the_setting() {
        let (with, without) = (code(2, 4, true, "no"), code(2, 4, false, "no"));
        assert!(!with.contains('@'), "{with}");
        assert_eq!(with.replace("if \"on\" ==", "if \"off\" =="), without);
    }

    #[test]
    fn jobs_are_found_among_other_lines() {
        let line = r#"measured {"name": "read csv", "begin": 1.5, "end": 4.0, "tasks": 8, "local": 6, "bytes": 400}"#;
        let mut phases = told(&format!("WARN x\n{line}\n")).unwrap();
        phases[0].crossed = 100;
        assert_eq!((locals(&[phases.clone()]), time(&phases)), (vec![75.0], 2.5));
        assert_eq!(each(&[phases], "csv", |phase| percent(phase.crossed, phase.bytes)), [25.0]);
        assert!(told("nothing").is_err());
        assert!(told(&line.replace("\"tasks\": 8", "\"tasks\": 0")).is_err());
    }
}
