//! An executor that is killed, until its replacement works.

use super::context::{quiet, said, told};
use super::lab::Lab;
use super::record::{Limit, Measure, Unit};
use super::yard::{PATIENCE, Yard};

/// Seconds that were promised.
const LIMIT: f64 = 2.5;

/// From the kill until another executor has done a task.
pub fn measure(lab: &Lab, yard: &Yard<'_>) -> Result<Measure, String> {
    let mut samples = Vec::new();
    for _ in 0..lab.rounds {
        quiet(lab, yard)?;
        let printed = yard.kernel(include_str!("replaced.py"), PATIENCE)?;
        let seconds = told(&printed, "replaced ");
        samples.push(seconds.ok_or_else(|| format!("no executor was replaced; it printed:\n{printed}"))?);
        said("executor replaced", &samples);
    }
    let measure = Measure::new("executor killed until its replacement has done a task", Unit::Seconds, samples)?;
    Ok(measure.limited(Limit::Value(LIMIT)).noted("stock Spark on Kubernetes, another day: 3.2 to 4.3 s"))
}
