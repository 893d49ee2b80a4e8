//! HDFS read where it lies: tasks that are local and bytes that cross nodes' links, with and without what knows nodes.

use super::Benchmark;
use super::context::said;
use super::lab::Lab;
use super::links::{Links, crossed, narrow};
use super::record::{Limit, Measure, Unit};
use super::yard::Yard;
use emberyard_client::{ApiError, Client};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "locality",
    about: "An HDFS with four DataNodes on four nodes, blocks and tasks of 32 MiB. Files are written by four executors, then \
            read by sessions that know nodes and by sessions that don't (`emberyard.node.prefix` 0), alternating. Tasks: share \
            that Spark calls NODE_LOCAL, of all that read; with two executors, of those whose block has a copy on a node with \
            one. Crossed: what all nodes' links carried meanwhile by the kernel's counters, in percent of the bytes read, so \
            everything else that pods say to each other is in it. Readers: DataFrames of CSV, Parquet and ORC, and `textFile` \
            in Python; a job that reads CSV and shuffles what it read, whose links carry the shuffle, too. Then the links are \
            narrowed to 1 Gbit/s, as root and where there is iproute2. Last, all pods of the HDFS are killed at once, and \
            where copies are then is looked at half a minute after all serve again.",
    rounds: 1,
    run,
};

/// Copies of each block.
const REPLICATIONS: [usize; 2] = [2, 3];
/// Who writes, and the first who read: an executor a node, of a core each.
const WRITERS: usize = 4;
/// Who reads what: an executor a node, two, and executors on half of the nodes.
const READERS: [Readers; 3] = [
    Readers { executors: WRITERS, jobs: &["csv", "parquet", "orc", "textFile", SHUFFLE], peer: true },
    Readers { executors: 8, jobs: &["csv", SHUFFLE], peer: true },
    Readers { executors: 2, jobs: &["csv"], peer: false },
];
/// Who reads over narrow links.
const NARROW: Readers = Readers { executors: WRITERS, jobs: &["csv", SHUFFLE], peer: true };
const RATE: &str = "1gbit";
/// What is written in each form.
const MIB: usize = 2048;
/// The job that shuffles what it has read.
const SHUFFLE: &str = "shuffle";
/// After all pods died: copies that were missed are made, and those that are too many removed.
const SETTLES: Duration = Duration::from_secs(30);
const PODS: &str = "/api/v1/namespaces/default/pods";
const WITHOUT: &str = "nodes not known";
/// For a session, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// Sessions that read alike.
struct Readers {
    /// Of a core each.
    executors: usize,
    /// Their jobs, one after the other.
    jobs: &'static [&'static str],
    /// Whether sessions that don't know nodes do the same.
    peer: bool,
}

/// What sessions told, one after the other.
#[derive(Default)]
struct Told {
    with: Vec<Vec<Phase>>,
    without: Vec<Vec<Phase>>,
}

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
    /// Percent of what was read that has a copy on a node with an executor.
    #[serde(default)]
    attainable: f64,
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
    for replication in REPLICATIONS {
        let mut near = Vec::new();
        let mut told: Vec<Told> = READERS.iter().map(|_| Told::default()).collect();
        for round in 0..lab.rounds {
            let written = session(lab, &yard, &code(replication, WRITERS, true, "yes", &[]))?;
            let (blocks, close) = written.iter().fold((0, 0), |(all, near), one| (all + one.blocks, near + one.near));
            near.push(percent(close, blocks));
            said(&format!("{replication} copies: first copy on the writer's node, %"), &near);
            for (readers, told) in READERS.iter().zip(&mut told) {
                read(lab, &yard, (replication, readers), round, told)?;
            }
        }
        let what = format!("{replication} copies: blocks with a copy on the writer's node");
        measures.push(Measure::new(what, Unit::Percent, near)?);
        for (readers, told) in READERS.iter().zip(&told) {
            measures.extend(judged(&format!("{replication} copies, {} executors", readers.executors), readers, told)?);
        }
    }
    match narrow(&yard.dir(), RATE) {
        Ok(_wide_again_when_dropped) => {
            let mut told = Told::default();
            for round in 0..lab.rounds {
                read(lab, &yard, (REPLICATIONS[0], &NARROW), round, &mut told)?;
            }
            measures.extend(judged("2 copies, 4 executors, links of 1 Gbit/s", &NARROW, &told)?);
        }
        Err(why) => eprintln!("   narrow links are left out: {why}"),
    }
    measures.push(after_all_died(lab, &yard)?);
    Ok(measures)
}

/// A round of readers. Who begins changes with the round.
fn read(
    lab: &Lab,
    yard: &Yard<'_>,
    (replication, readers): (usize, &Readers),
    round: usize,
    told: &mut Told,
) -> Result<(), String> {
    for turn in 0..2 {
        let knows = (round + turn).is_multiple_of(2);
        if !knows && !readers.peer {
            continue;
        }
        let phases = session(lab, yard, &code(replication, readers.executors, knows, "no", readers.jobs))?;
        let (samples, side) = if knows { (&mut told.with, "") } else { (&mut told.without, ", nodes not known") };
        samples.push(phases);
        let what = format!("{replication} copies, {} executors: local tasks, %{side}", readers.executors);
        said(&what, &locals(samples));
    }
    Ok(())
}

/// The measures of what readers told.
fn judged(name: &str, readers: &Readers, told: &Told) -> Result<Vec<Measure>, String> {
    let measure = |what: &str, unit: Unit, figures: &dyn Fn(&[Vec<Phase>]) -> Vec<f64>| {
        let measure = Measure::new(format!("{name}: {what}"), unit, figures(&told.with))?;
        if readers.peer { measure.against(WITHOUT, figures(&told.without)) } else { Ok(measure) }
    };
    let mut measures = Vec::new();
    let only_read: Vec<_> = readers.jobs.iter().filter(|job| **job != SHUFFLE).collect();
    if readers.peer {
        measures.push(measure("tasks NODE_LOCAL", Unit::Percent, &locals)?.limited(Limit::Value(95.0)));
    } else {
        let what = "tasks NODE_LOCAL of those that can be";
        measures.push(measure(what, Unit::Percent, &of_attainable)?.limited(Limit::Value(95.0)));
    }
    for job in only_read {
        let share = |rounds: &[Vec<Phase>]| each(rounds, job, |phase| percent(phase.crossed, phase.bytes));
        let crossed = measure(&format!("crossed, {job}"), Unit::PercentCrossed, &share)?;
        // What is nobody's to read locally has to cross.
        measures.push(if readers.peer { crossed.limited(Limit::Value(5.0)) } else { crossed });
    }
    if readers.jobs.contains(&SHUFFLE) {
        let shuffled = |rounds: &[Vec<Phase>]| each(rounds, SHUFFLE, |phase| percent(phase.local, phase.tasks));
        let what = "tasks NODE_LOCAL that read before a shuffle";
        measures.push(measure(what, Unit::Percent, &shuffled)?.limited(Limit::Value(95.0)));
    }
    let seconds = |rounds: &[Vec<Phase>]| rounds.iter().map(|phases| time(phases)).collect();
    measures.push(measure(&format!("{} jobs", readers.jobs.len()), Unit::Seconds, &seconds)?);
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
    for replication in REPLICATIONS {
        let printed = yard.kernel(&code(replication, 2, true, "look", &[]), PATIENCE)?;
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

/// Share of local tasks of those that could be, by round.
fn of_attainable(rounds: &[Vec<Phase>]) -> Vec<f64> {
    let share = |phases: &Vec<Phase>| {
        let local: u64 = phases.iter().map(|phase| phase.local).sum();
        let could: f64 = phases.iter().map(|phase| phase.tasks as f64 * phase.attainable / 100.0).sum();
        (100.0 * local as f64 / could).min(100.0)
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
fn code(replication: usize, executors: usize, knows: bool, write: &str, jobs: &[&str]) -> String {
    let template = include_str!("locality.py").replace("@SHIM@", if knows { "on" } else { "off" });
    let template =
        template.replace("@WRITE@", write).replace("@MIB@", &MIB.to_string()).replace("@JOBS@", &jobs.join(" "));
    template.replace("@REPLICATION@", &replication.to_string()).replace("@EXECUTORS@", &executors.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_run_the_same_code_but_for_the_setting() {
        let (with, without) = (code(2, 4, true, "no", &["csv"]), code(2, 4, false, "no", &["csv"]));
        assert!(!with.contains('@'), "{with}");
        assert_eq!(with.replace("if \"on\" ==", "if \"off\" =="), without);
    }

    #[test]
    fn jobs_are_found_among_other_lines() {
        let line = r#"measured {"name": "read csv", "begin": 1.5, "end": 4.0, "tasks": 8, "local": 6, "bytes": 400}"#;
        let mut phases = told(&format!("WARN x\n{line}\n")).unwrap();
        phases[0].crossed = 100;
        assert_eq!((locals(&[phases.clone()]), time(&phases)), (vec![75.0], 2.5));
        assert_eq!(each(&[phases.clone()], "csv", |phase| percent(phase.crossed, phase.bytes)), [25.0]);
        let half = Phase { attainable: 87.5, ..phases[0].clone() };
        assert_eq!(of_attainable(&[vec![half]]), [6.0 / 7.0 * 100.0]);
        assert!(told("nothing").is_err());
        assert!(told(&line.replace("\"tasks\": 8", "\"tasks\": 0")).is_err());
    }
}
