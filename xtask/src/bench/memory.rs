//! Memory peaks of the demos.

use super::Benchmark;
use super::lab::Lab;
use super::processes::{Watch, total};
use super::record::{Limit, Measure, Unit};
use super::yard::Yard;
use std::time::Duration;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "memory",
    about: "Peak of the sum of PSS over all processes of a yard, pods included, while a demo plays; looked at every 0.25 s.",
    rounds: 1,
    run,
};

/// Demos and their limits in GiB.
const DEMOS: [(&str, f64); 2] = [("tutorial", 3.0), ("scale", 6.0)];

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    Yard::new(lab, "memory")?.up(&[])?; // makes images that are not there: their build is not the demo's
    DEMOS.into_iter().map(|(demo, limit)| one(lab, demo, limit)).collect()
}

fn one(lab: &Lab, demo: &str, limit: f64) -> Result<Measure, String> {
    const GIB: f64 = (1_u64 << 30) as f64;
    let (mut peaks, mut parts) = (Vec::new(), String::new());
    for _ in 0..lab.rounds {
        let yard = Yard::new(lab, "memory")?;
        let watch = Watch::begin(&yard.dir());
        yard.run(&["demo", demo], Duration::from_secs(1800))?;
        let peak = watch.peak()?;
        peaks.push(total(&peak) as f64 / GIB);
        let shown = peak.iter().map(|(part, bytes)| format!("{} {:.0} MB", part.name(), *bytes as f64 / 1e6));
        parts = shown.collect::<Vec<_>>().join(", ");
    }
    let measure = Measure::new(format!("`demo {demo}`"), Unit::Gibibytes, peaks)?;
    Ok(measure.limited(Limit::Value(limit)).noted(format!("at the peak of the last round: {parts}")))
}
