//! Bare machine to the first sum: what someone waits for who has just got the program.

use super::Benchmark;
use super::lab::Lab;
use super::record::{Measure, Unit};
use super::yard::{Yard, bytes_on_disk};
use serde_json::Value;
use std::time::Duration;

/// Most of it is the network's speed.
const PATIENCE: Duration = Duration::from_secs(3600);

pub const BENCHMARK: Benchmark = Benchmark {
    name: "first-light",
    about: "`emberyard demo tutorial` in a new folder without images, until the tutorial's first 4999999950000000. The \
            network's speed is in it. Building the program itself is not.",
    rounds: 1,
    run,
};

/// Steps of the demo up to the sum, and how they are shown.
const STEPS: [(&str, &str); 6] = [
    ("images", "images built, downloads included"),
    ("yard", "yard started: API, operator, two nodes"),
    ("notebook", "JupyterLab answers"),
    ("nodes", "nodes are there"),
    ("context", "kernel and SparkContext, two executors"),
    ("sum", "first sum"),
];

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let mut steps: Vec<Vec<f64>> = vec![Vec::new(); STEPS.len()];
    let (mut all, mut downloads, mut disk) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..lab.rounds {
        let yard = Yard::bare(lab, "first-light")?;
        let (text, _) = yard.run(&["demo", "tutorial", "-o", "json"], PATIENCE)?;
        let seconds = seconds_to_the_sum(&text)?;
        all.push(seconds.iter().sum());
        steps.iter_mut().zip(seconds).for_each(|(samples, seconds)| samples.push(seconds));
        downloads.push(bytes_on_disk(&yard.dir().join("cache/downloads")) as f64 / 1e6);
        disk.push(bytes_on_disk(&yard.dir()) as f64 / 1e6);
    }
    let mut measures = vec![Measure::new("bare folder to the first sum", Unit::Seconds, all)?];
    for ((_, shown), samples) in STEPS.into_iter().zip(steps) {
        measures.push(Measure::new(shown, Unit::Seconds, samples)?);
    }
    measures.push(
        Measure::new("downloaded", Unit::Megabytes, downloads)?.noted("packages as they are kept; indexes come on top"),
    );
    measures.push(Measure::new("disk used, downloads included", Unit::Megabytes, disk)?);
    Ok(measures)
}

/// Seconds of each step, from the demo's result.
fn seconds_to_the_sum(text: &str) -> Result<Vec<f64>, String> {
    let result: Value = serde_json::from_str(text).map_err(|error| format!("the demo's result: {error}"))?;
    let steps = result["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let seconds = |name: &str| {
        let step = steps.iter().find(|step| step["name"] == name && step["verdict"] == "ok");
        step.and_then(|step| step["seconds"].as_f64())
            .ok_or_else(|| format!("the demo has no good step {name}: {text}"))
    };
    STEPS.into_iter().map(|(name, _)| seconds(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_after_the_sum_do_not_count() {
        let step = |name: &str, seconds: f64| serde_json::json!({"name": name, "verdict": "ok", "seen": "", "seconds": seconds});
        let mut steps: Vec<Value> = STEPS.into_iter().map(|(name, _)| step(name, 1.5)).collect();
        steps.push(step("stop", 100.0));
        let text = |steps: &[Value]| serde_json::json!({"part": "tutorial", "steps": steps}).to_string();
        assert_eq!(seconds_to_the_sum(&text(&steps)), Ok(vec![1.5; 6]));
        steps[5]["verdict"] = "failed".into();
        assert!(seconds_to_the_sum(&text(&steps)).is_err());
    }
}
