//! SparkContext until all executors have registered: a yard's, with the defaults we ship, and stock `local-cluster`; and
//! what those defaults cost a job that works for a minute.

use super::lab::Lab;
use super::processes::has_java;
use super::record::{Limit, Measure, Unit};
use super::yard::{PATIENCE, Yard};
use super::{Benchmark, guard, replaced, show, stock};
use std::time::Duration;

pub const BENCHMARK: Benchmark = Benchmark {
    name: "context",
    about: "`SparkContext()` until all executors have registered, JVM start of the driver included, import of pyspark \
            not. emberyard: in a notebook's kernel with the settings it comes with; where it was idle, its code's first \
            ten seconds are a sleep. Peer: stock `local-cluster[N,1,1024]` in a pod of the same image, so with the same \
            Python, Java and jars. Same code on both sides, one at a time, alternating. Guard: rounds of SQL with a \
            join, lists of objects, Python UDFs and a shuffle of pairs, for 60 s from the first executor on, two \
            executors of one core; the peer's from `local-cluster[2,1,HEAP]`.",
    rounds: 2,
    run,
};

/// What is compared.
struct Case {
    what: &'static str,
    executors: usize,
    /// Seconds that the kernel is idle before.
    idle: usize,
    /// `EMBERYARD_FAST_START` of its executors; empty for the default.
    start: &'static str,
    limit: Option<f64>,
}

const CASES: [Case; 7] = [
    Case { what: "2 executors, cold kernel", executors: 2, idle: 0, start: "", limit: Some(0.60) },
    Case { what: "2 executors, kernel idle for 10 s", executors: 2, idle: 10, start: "", limit: Some(0.40) },
    Case { what: "10 executors, cold kernel", executors: 10, idle: 0, start: "", limit: Some(0.50) },
    Case { what: "10 executors, kernel idle for 10 s", executors: 10, idle: 10, start: "", limit: Some(0.38) },
    Case { what: "10 executors, cold kernel, C1 only", executors: 10, idle: 0, start: "c1", limit: None },
    Case { what: "10 executors, kernel idle for 10 s, C1 only", executors: 10, idle: 10, start: "c1", limit: None },
    Case { what: "10 executors, kernel idle for 10 s, Java's own", executors: 10, idle: 10, start: "off", limit: None },
];

/// How many executors the peer has, a sample of which serves all cases of so many.
const PEERS: [usize; 2] = [2, 10];

fn run(lab: &Lab) -> Result<Vec<Measure>, String> {
    let yard = Yard::new(lab, "context")?;
    // Room for ten executors, and for two with large heaps, so that no node has to be added.
    yard.up(&["--nodes", "2..2", "--node-shape", "cpu=8,memory=11Gi"])?;
    let mut ours = [const { Vec::new() }; CASES.len()];
    let mut peers = [const { Vec::new() }; PEERS.len()];
    for round in 0..lab.rounds {
        for (peer, samples) in PEERS.iter().zip(&mut peers) {
            let stock = |samples: &mut Vec<f64>| -> Result<(), String> {
                quiet(lab, &yard)?;
                samples.push(registered(&stock::run(lab, &yard, &stock_code(*peer), PATIENCE)?)?);
                said(&format!("{peer} executors, stock"), samples);
                Ok(())
            };
            // Who begins changes with the round.
            if round % 2 == 1 {
                stock(samples)?;
            }
            for (case, samples) in CASES.iter().zip(&mut ours).filter(|(case, _)| case.executors == *peer) {
                quiet(lab, &yard)?;
                samples.push(registered(&yard.kernel(&code(case, ""), PATIENCE)?)?);
                said(case.what, samples);
            }
            if round % 2 == 0 {
                stock(samples)?;
            }
        }
    }
    let mut measures = Vec::new();
    for (case, samples) in CASES.iter().zip(ours) {
        let peer =
            PEERS.iter().position(|&peer| peer == case.executors).map(|at| peers[at].clone()).unwrap_or_default();
        let measure = Measure::new(case.what, Unit::Seconds, samples)?;
        let measure = measure.against(format!("`local-cluster[{},1,1024]`", case.executors), peer)?;
        measures.push(case.limit.into_iter().fold(measure, |measure, limit| measure.limited(Limit::Ratio(limit))));
    }
    measures.push(show::measure(lab, &yard)?);
    measures.push(replaced::measure(lab, &yard)?);
    measures.extend(guard::measures(lab, &yard)?);
    Ok(measures)
}

fn code(case: &Case, master: &str) -> String {
    let template = include_str!("context.py").replace("@MASTER@", master).replace("@START@", case.start);
    template.replace("@EXECUTORS@", &case.executors.to_string()).replace("@IDLE@", &case.idle.to_string())
}

fn stock_code(executors: usize) -> String {
    let case = Case { what: "", executors, idle: 0, start: "", limit: None };
    code(&case, &format!("local-cluster[{executors},1,1024]"))
}

/// No JVM of the side before takes part.
pub fn quiet(lab: &Lab, yard: &Yard<'_>) -> Result<(), String> {
    lab.until("the JVMs before are gone", Duration::from_secs(60), || Ok(!has_java(&yard.dir())))
}

/// Shows the newest sample: a run takes minutes.
pub fn said(what: &str, samples: &[f64]) {
    eprintln!("   {what}: {:.2}", samples.last().copied().unwrap_or_default());
}

/// Seconds that the code told.
fn registered(printed: &str) -> Result<f64, String> {
    told(printed, "registered ").ok_or_else(|| format!("the executors did not register; it printed:\n{printed}"))
}

/// The number that code printed behind a word at the begin of a line.
pub fn told(printed: &str, word: &str) -> Option<f64> {
    printed.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_run_the_same_code_but_for_the_master() {
        let (ours, stock) = (code(&CASES[0], ""), stock_code(2));
        assert!(!ours.contains('@') && !stock.contains('@'));
        assert_eq!(ours, stock.replace("local-cluster[2,1,1024]", ""));
    }

    #[test]
    fn the_told_seconds_are_found_among_other_lines() {
        assert_eq!(registered("WARN x\n\nregistered 12.5\n"), Ok(12.5));
        assert!(registered("registered nothing").is_err());
    }

    #[test]
    fn every_case_has_a_peer() {
        assert!(CASES.iter().all(|case| PEERS.contains(&case.executors)));
    }
}
