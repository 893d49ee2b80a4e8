//! Start and stop of a yard whose images are there.

use super::Benchmark;
use super::lab::Lab;
use super::record::{Limit, Measure, Unit};
use super::yard::Yard;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "up",
    about: "`emberyard up --detach` from the call until the notebook answers, images there; and `emberyard down`.",
    rounds: 5,
    run,
};

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    Yard::new(lab, "up")?.up(&[])?; // makes images that are not there
    let (mut new, mut warm, mut down) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..lab.rounds {
        let yard = Yard::new(lab, "up")?;
        new.push(yard.up(&[])?);
        down.push(yard.down()?);
        warm.push(yard.up(&[])?);
        down.push(yard.down()?);
    }
    Ok(vec![
        Measure::new("up of a yard that was there", Unit::Seconds, warm)?.limited(Limit::Value(10.0)),
        Measure::new("up of a new yard", Unit::Seconds, new)?,
        Measure::new("down", Unit::Seconds, down)?,
    ])
}
