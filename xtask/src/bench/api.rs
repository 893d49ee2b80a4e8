//! The API server: ready from cold, creates a second, and what an idle yard costs.

use super::Benchmark;
use super::lab::{Lab, built};
use super::load::Figures;
use super::processes::{Part, cpu_seconds, memory, total};
use super::record::{Limit, Measure, Unit};
use super::yard::{PATIENCE, Yard};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

pub const BENCHMARK: Benchmark = Benchmark {
    name: "api",
    about: "A yard of three nodes without a notebook. Ready: from the start of the API server's process to its first \
            answer, by the keeper's log. Idle: 20 s after `up`, over 20 s, sum of PSS. Creates: pods that no scheduler \
            places, HTTP over TLS, each on disk before its answer; scheduler and controllers run beside.",
    rounds: 3,
    run,
};

const SETTLED: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_secs(20);
/// Writers, and pods of each.
const LOADS: [(usize, usize); 2] = [(1, 300), (16, 60)];
/// Watchers, and pods that each of them sees.
const FAN: (usize, usize) = (200, 50);
/// A real API server, taken on another day on a machine of the same kind: an anchor, not a comparison.
const ANCHOR: &str =
    "no peer in this run; kube-apiserver 1.37.2 with etcd on a quiet machine of the same kind, another day:";

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let (mut new, mut old, mut cpu, mut whole) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut parts: BTreeMap<Part, Vec<f64>> = BTreeMap::new();
    let mut rates: [Vec<f64>; LOADS.len()] = Default::default();
    let mut slowest: [Vec<f64>; LOADS.len()] = Default::default();
    let (mut median_delay, mut slowest_delay) = (Vec::new(), Vec::new());
    for _ in 0..lab.rounds {
        let yard = Yard::new(lab, "api")?;
        let words = ["--notebook", "none", "--nodes", "3..3"];
        yard.up(&words)?;
        new.push(ready(&yard.dir())?);
        lab.pause(SETTLED)?;
        let (before, begun) = (cpu_seconds(&yard.dir()), Instant::now());
        lab.pause(WATCHED)?;
        cpu.push((cpu_seconds(&yard.dir()) - before) / begun.elapsed().as_secs_f64() * 100.0);
        let held = memory(&yard.dir());
        whole.push(total(&held) as f64 / 1e6);
        for (part, bytes) in held {
            parts.entry(part).or_default().push(bytes as f64 / 1e6);
        }
        for (at, (writers, each)) in LOADS.into_iter().enumerate() {
            let figures = load(lab, &yard, "creates", writers, each)?;
            rates[at].push(figures.per_second);
            slowest[at].push(figures.p99_ms);
        }
        let figures = load(lab, &yard, "fan", FAN.0, FAN.1)?;
        median_delay.push(figures.p50_ms);
        slowest_delay.push(figures.p99_ms);
        yard.down()?;
        yard.up(&words)?;
        old.push(ready(&yard.dir())?);
    }
    let pods = LOADS.iter().map(|(writers, each)| writers * each).sum::<usize>() + FAN.1 + 1;
    let mut measures = vec![
        Measure::new("ready from cold, new yard", Unit::Seconds, new)?
            .limited(Limit::Value(0.2))
            .noted(format!("{ANCHOR} 2.3 s")),
        Measure::new(format!("ready from cold, {pods} pods in the journal"), Unit::Seconds, old)?
            .limited(Limit::Value(0.2)),
        Measure::new("idle memory, whole yard", Unit::Megabytes, whole)?.limited(Limit::Value(120.0)),
    ];
    for (part, samples) in parts {
        let measure = Measure::new(format!("idle memory, {}", part.name()), Unit::Megabytes, samples)?;
        measures.push(match part {
            Part::Api => measure.noted(format!("{ANCHOR} RSS 278 MB and 43 MB")),
            _ => measure,
        });
    }
    measures.push(Measure::new("idle CPU, whole yard", Unit::CorePercent, cpu)?.limited(Limit::Value(1.0)));
    let anchors = ["513 and 559 a second, p99 5.2 to 5.8 ms", "1,328 and 1,303 a second, p99 32 to 35 ms"];
    for (((writers, _), anchor), (rate, slow)) in LOADS.into_iter().zip(anchors).zip(rates.into_iter().zip(slowest)) {
        let writers = if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") };
        measures.push(
            Measure::new(format!("pod creates, {writers}"), Unit::PerSecond, rate)?.noted(format!("{ANCHOR} {anchor}")),
        );
        measures.push(Measure::new(format!("pod creates, {writers}, p99"), Unit::Milliseconds, slow)?);
    }
    let fan = format!("a new pod seen by {} watchers", FAN.0);
    measures.push(Measure::new(format!("{fan}, median"), Unit::Milliseconds, median_delay)?);
    measures.push(Measure::new(format!("{fan}, p99"), Unit::Milliseconds, slowest_delay)?);
    Ok(measures)
}

fn load(lab: &Lab, yard: &Yard<'_>, kind: &str, first: usize, second: usize) -> Result<Figures, String> {
    let (kubeconfig, first, second) = (yard.kubeconfig().display().to_string(), first.to_string(), second.to_string());
    let text = lab.run(&built("xtask"), &["load", kind, &kubeconfig, &first, &second], &[], PATIENCE)?;
    serde_json::from_str(&text).map_err(|error| format!("the load program: {error}: {text}"))
}

/// Seconds from the keeper's start of the API server to its first answer, of the keeper's last start.
fn ready(dir: &Path) -> Result<f64, String> {
    let path = dir.join("log/keeper.log");
    let log = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    seconds_between(&log, "step=\"API server\"", "step=\"operator and gateway\"")
        .ok_or_else(|| format!("{}: the start of the API server is not in it", path.display()))
}

/// Between the last line with `from` and the line with `to` that follows it.
fn seconds_between(log: &str, from: &str, to: &str) -> Option<f64> {
    let (_, rest) = log.rsplit_once(from)?;
    let begun = log[..log.len() - rest.len()].lines().last()?;
    let ended = rest.lines().find(|line| line.contains(to))?;
    let time = |line: &str| line.split_whitespace().next()?.parse::<jiff::Timestamp>().ok();
    Some(time(ended)?.duration_since(time(begun)?).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_start_counts() {
        let log = "2026-01-01T00:00:00.000000Z  INFO k: starting step=\"API server\"\n\
                   2026-01-01T00:00:09.000000Z  INFO k: starting step=\"operator and gateway\"\n\
                   2026-01-01T00:01:00.250000Z  INFO k: starting step=\"API server\"\n\
                   2026-01-01T00:01:00.300000Z  INFO k: runs role=api\n\
                   2026-01-01T00:01:00.375000Z  INFO k: starting step=\"operator and gateway\"\n";
        let seconds = |log| seconds_between(log, "step=\"API server\"", "step=\"operator and gateway\"");
        assert_eq!(seconds(log), Some(0.125));
        assert_eq!(seconds("nothing"), None);
        assert_eq!(seconds(log.rsplit_once("2026").unwrap().0), None, "a start that has not ended");
    }
}
