//! What a writer in HDFS met while a fault struck, judged.

use crate::Fault;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A file, as far as HDFS has acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Its path; its bytes follow from it.
    pub path: String,
    /// How many bytes were acknowledged.
    pub length: u64,
    /// Whether it was closed: then it has no byte more.
    pub closed: bool,
}

/// What came of the writing during one fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wrote {
    /// Files of which something was acknowledged.
    pub acknowledged: usize,
    /// Files that were read back afterwards and compared: these, and what was kept of those before.
    pub compared: usize,
    /// The longest time between two acknowledgements, milliseconds.
    pub longest_stall_ms: u64,
    /// Acknowledged, and not there as it was written.
    pub lost: Vec<String>,
    /// Writes that failed.
    pub failed: Vec<String>,
}

impl Wrote {
    /// The promises that were broken, in words. `lasted`: how long the fault did.
    pub fn broken(&self, fault: Fault, lasted: Duration) -> Vec<String> {
        let mut broken: Vec<String> = self.lost.iter().map(|what| format!("acknowledged and lost: {what}")).collect();
        if self.acknowledged == 0 {
            broken.push("nothing was acknowledged".to_owned());
        }
        if !fault.may_end_writes() {
            broken.extend(self.failed.iter().map(|why| format!("a write failed: {why}")));
        }
        let stalled = Duration::from_millis(self.longest_stall_ms);
        if fault.stalls_within(lasted).is_some_and(|bound| stalled > bound) {
            broken.push(format!("a writer waited for {} ms", self.longest_stall_ms));
        }
        broken
    }

    /// As a part of a line.
    pub fn told(&self) -> String {
        let ended = match self.failed.len() {
            0 => String::new(),
            count => format!(", {count} writes failed"),
        };
        let lost = if self.lost.is_empty() { "" } else { ", LOST some" };
        format!("longest stall {} ms{ended}, {} files compared{lost}", self.longest_stall_ms, self.compared)
    }
}

/// What writers felt over a whole rehearsal: a line for the deaths of a NameNode, and one for each kind of cut.
pub(crate) fn stalls<'a>(felt: impl Iterator<Item = (Fault, &'a Wrote)>) -> Vec<String> {
    let mut deaths = Vec::new();
    let mut cuts = Vec::new();
    let mut cables = Vec::new();
    for (fault, wrote) in felt {
        match fault {
            Fault::NameNode | Fault::NameNodePod => deaths.push(wrote.longest_stall_ms),
            Fault::NameNodeLink => cuts.push(wrote.longest_stall_ms),
            Fault::NameNodeCable => cables.push(wrote.longest_stall_ms),
            _ => {}
        }
    }
    let told = [
        (deaths, "deaths of the active NameNode"),
        (cables, "times the active NameNode was cut off"),
        (cuts, "cuts between the NameNodes"),
    ];
    told.into_iter().filter(|(stalls, _)| !stalls.is_empty()).map(|(stalls, what)| line(stalls, what)).collect()
}

fn line(mut stalls: Vec<u64>, what: &str) -> String {
    stalls.sort_unstable();
    let (half, most) = (of_hundred(&stalls, 50), of_hundred(&stalls, 95));
    let longest = stalls.last().copied().unwrap_or_default();
    format!(
        "{} {what}, writers' stalls: 50 % at most {half} ms, 95 % at most {most} ms, longest {longest} ms",
        stalls.len()
    )
}

/// The smallest value that so many of a hundred do not exceed.
fn of_hundred(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(longest_stall_ms: u64) -> Wrote {
        Wrote { acknowledged: 5, compared: 7, longest_stall_ms, ..Wrote::default() }
    }

    #[test]
    fn every_way_to_break_a_promise_is_seen() {
        let none = Duration::ZERO;
        let (lost, failed) = (vec!["/a: 3 of 5 bytes".to_owned()], vec!["refused".to_owned()]);
        assert_eq!(wrote(900).broken(Fault::NameNode, none), Vec::<String>::new());
        assert_eq!(wrote(10_001).broken(Fault::NameNode, none).len(), 1);
        assert_eq!(wrote(60_000).broken(Fault::HdfsPods, none), Vec::<String>::new());
        assert_eq!(Wrote { lost, ..wrote(1) }.broken(Fault::HdfsPods, none).len(), 1);
        assert_eq!(Wrote { failed: failed.clone(), ..wrote(1) }.broken(Fault::DataNode, none).len(), 1);
        assert_eq!(Wrote { failed, ..wrote(1) }.broken(Fault::HdfsPods, none), Vec::<String>::new());
        assert_eq!(Wrote { acknowledged: 0, ..wrote(1) }.broken(Fault::Zkfc, none).len(), 1);
    }

    #[test]
    fn a_cut_stalls_as_long_as_it_lasts_and_some() {
        let lasted = Duration::from_secs;
        assert!(wrote(15_000).broken(Fault::NameNodeLink, lasted(2)).is_empty());
        assert_eq!(wrote(15_001).broken(Fault::NameNodeLink, lasted(2)).len(), 1);
        assert!(wrote(22_000).broken(Fault::NameNodeLink, lasted(12)).is_empty());
        assert_eq!(wrote(22_001).broken(Fault::NameNodeLink, lasted(12)).len(), 1);
    }

    #[test]
    fn a_name_node_that_is_cut_off_stalls_no_longer_however_long_it_is() {
        let lasted = Duration::from_secs(60);
        assert!(wrote(15_000).broken(Fault::NameNodeCable, lasted).is_empty());
        assert_eq!(wrote(15_001).broken(Fault::NameNodeCable, lasted).len(), 1);
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let felt: Vec<Wrote> = (1..=20).rev().map(|number| wrote(number * 100)).collect();
        let deaths = felt.iter().map(|wrote| (Fault::NameNode, wrote));
        let cut = wrote(7);
        let other = wrote(99_999);
        let lines =
            stalls(deaths.chain([(Fault::NameNodeLink, &cut), (Fault::Zkfc, &other), (Fault::NameNodeCable, &cut)]));
        assert_eq!(
            lines,
            [
                "20 deaths of the active NameNode, writers' stalls: 50 % at most 1000 ms, 95 % at most 1900 ms, longest 2000 ms",
                "1 times the active NameNode was cut off, writers' stalls: 50 % at most 7 ms, 95 % at most 7 ms, longest 7 ms",
                "1 cuts between the NameNodes, writers' stalls: 50 % at most 7 ms, 95 % at most 7 ms, longest 7 ms",
            ]
        );
        assert_eq!(stalls(std::iter::empty()), Vec::<String>::new());
    }
}
