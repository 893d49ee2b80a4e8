//! What a fast start may not cost: the throughput of a job that works for a minute.

use super::context::{quiet, said, told};
use super::lab::Lab;
use super::record::{Limit, Measure, Unit};
use super::stock;
use super::yard::Yard;
use std::time::Duration;

/// Heaps of the executors, in MiB.
const HEAPS: [usize; 2] = [1024, 8192];
/// Of stock Spark's throughput.
const LIMIT: f64 = 0.97;
/// A minute of work, its start, and its last round.
const PATIENCE: Duration = Duration::from_secs(240);

/// Rounds of the job in a minute, beside stock Spark's.
pub fn measures(lab: &Lab, yard: &Yard<'_>) -> Result<Vec<Measure>, String> {
    let mut samples = [const { (Vec::new(), Vec::new()) }; HEAPS.len()];
    for round in 0..lab.rounds {
        for (heap, (ours, theirs)) in HEAPS.iter().zip(&mut samples) {
            for turn in 0..2 {
                quiet(lab, yard)?;
                if (round + turn) % 2 == 0 {
                    ours.push(rounds(&yard.kernel(&code(*heap, ""), PATIENCE)?)?);
                    said(&format!("guard, {heap} MiB, rounds a minute"), ours);
                } else {
                    let code = code(*heap, &format!("local-cluster[2,1,{heap}]"));
                    theirs.push(rounds(&stock::run(lab, yard, &code, PATIENCE)?)?);
                    said(&format!("guard, {heap} MiB, rounds a minute, stock"), theirs);
                }
            }
        }
    }
    let measure = |(heap, (ours, theirs)): (usize, (Vec<f64>, Vec<f64>))| {
        let measure =
            Measure::new(format!("guard, heaps of {} GiB, rounds a minute", heap / 1024), Unit::PerMinute, ours)?;
        Ok(measure.against(format!("`local-cluster[2,1,{heap}]`"), theirs)?.limited(Limit::Ratio(LIMIT)))
    };
    HEAPS.into_iter().zip(samples).map(measure).collect()
}

fn code(heap: usize, master: &str) -> String {
    include_str!("guard.py").replace("@MASTER@", master).replace("@HEAP@", &heap.to_string())
}

fn rounds(printed: &str) -> Result<f64, String> {
    told(printed, "rounds a minute ").ok_or_else(|| format!("the job did not end; it printed:\n{printed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_run_the_same_code_but_for_the_master() {
        let stock = code(1024, "local-cluster[2,1,1024]");
        assert_eq!(code(1024, ""), stock.replace("local-cluster[2,1,1024]", ""));
        assert!(!stock.contains("@HEAP@") && !stock.contains("@MASTER@"));
    }
}
