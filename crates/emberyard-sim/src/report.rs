//! What happened, judged.

use crate::{Fault, Job, Promise, Strike, Wrote, writer};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "end")]
pub enum JobEnd {
    /// It printed this.
    Printed {
        /// What.
        text: String,
    },
    /// It ended without an answer.
    Failed {
        /// Why.
        why: String,
    },
}

/// How long something took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Took {
    /// Milliseconds.
    Ms(u64),
    /// It was given up; this was still missing, or still there.
    Never(String),
}

/// A strike and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// The plan.
    #[serde(flatten)]
    pub strike: Strike,
    /// Seconds from the rehearsal's start to the strike.
    pub at_seconds: u64,
    /// Who or what was struck; none if nothing could be.
    pub target: Option<String>,
    /// How the job ended.
    pub job_end: JobEnd,
    /// When everything worked again, counted from the fault's end.
    pub healthy: Took,
    /// When nothing was left of the session; none while it goes on.
    pub cleared: Option<Took>,
    /// What a writer in HDFS met; none where no HDFS was struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrote: Option<Wrote>,
    /// What else went wrong: a next session that does not start, twins.
    pub troubles: Vec<String>,
}

impl Happening {
    /// The promises that were broken, in words.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = self.troubles.clone();
        let (fault, job): (Fault, Job) = (self.strike.fault, self.strike.job);
        if self.target.is_none() {
            broken.push("nothing could be struck".to_owned());
        }
        match (&self.job_end, fault.promise()) {
            (JobEnd::Printed { text }, _) if text.trim() != job.answer() => {
                broken.push(format!("wrong answer: {} was expected, {:?} came", job.answer(), text.trim()));
            }
            (JobEnd::Failed { why }, Promise::Answer) => broken.push(format!("no answer: {why}")),
            _ => {}
        }
        match &self.healthy {
            Took::Ms(ms) if Duration::from_millis(*ms) > fault.healthy_within() => {
                broken.push(format!("healthy only after {}", seconds(*ms)));
            }
            Took::Ms(_) => {}
            Took::Never(what) => broken.push(format!("not healthy again: {what}")),
        }
        match (&self.cleared, fault.promise()) {
            (Some(Took::Ms(ms)), Promise::Lost { cleared }) if Duration::from_millis(*ms) > cleared => {
                broken.push(format!("cleared only after {}", seconds(*ms)));
            }
            (Some(Took::Never(left)), _) => broken.push(format!("left over: {left}")),
            _ => {}
        }
        broken.extend(self.wrote.iter().flat_map(|wrote| wrote.broken(fault, self.strike.lasts())));
        broken
    }

    /// One line, and one for each broken promise.
    pub fn line(&self) -> String {
        let Strike { number, fault, job, .. } = &self.strike;
        let target = self.target.as_deref().unwrap_or("nothing");
        let answer = match &self.job_end {
            JobEnd::Printed { text } if text.trim() == job.answer() => "right answer",
            JobEnd::Printed { .. } => "WRONG answer",
            JobEnd::Failed { .. } if fault.promise() == Promise::Answer => "NO answer",
            JobEnd::Failed { .. } => "lost with it",
        };
        let healthy = match &self.healthy {
            Took::Ms(ms) => format!("healthy after {}", seconds(*ms)),
            Took::Never(_) => "NOT healthy".to_owned(),
        };
        let cleared = match &self.cleared {
            Some(Took::Ms(ms)) => format!(", nothing left after {}", seconds(*ms)),
            Some(Took::Never(_)) => ", LEFTOVERS".to_owned(),
            None => String::new(),
        };
        let wrote = self.wrote.as_ref().map(|wrote| format!(", {}", wrote.told())).unwrap_or_default();
        let mut line = format!(
            "{number:>3} at {:>4} s  {:<20} {target}: {job} {answer}, {healthy}{cleared}{wrote}",
            self.at_seconds,
            fault.word()
        );
        for broken in self.broken() {
            let _ = write!(line, "\n      BROKEN {broken}"); // writing to a String can't fail
        }
        line
    }
}

/// A whole rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What happened, in order.
    pub happenings: Vec<Happening>,
    /// Objects, processes and files that were there at the end and should not have been.
    pub leftovers: Vec<String>,
}

impl Report {
    /// How many promises were broken.
    pub fn broken(&self) -> usize {
        self.happenings.iter().map(|happening| happening.broken().len()).sum()
    }

    /// Whether all promises held and nothing is left over.
    pub fn is_good(&self) -> bool {
        self.broken() == 0 && self.leftovers.is_empty()
    }

    /// The last lines: the verdict, what is left over, what writers in HDFS felt.
    pub fn verdict(&self) -> String {
        let mut text = format!(
            "{} faults (seed {}): {} promises broken, {} leftovers",
            self.happenings.len(),
            self.seed,
            self.broken(),
            self.leftovers.len()
        );
        for left in &self.leftovers {
            let _ = write!(text, "\n      LEFT {left}");
        }
        let felt = self.happenings.iter().filter_map(|one| Some((one.strike.fault, one.wrote.as_ref()?)));
        for line in writer::stalls(felt) {
            let _ = write!(text, "\n{line}");
        }
        text
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule;

    fn happening(fault: Fault, job_end: JobEnd) -> Happening {
        let strike = schedule(&[fault], 3, 1).remove(0);
        Happening {
            strike,
            at_seconds: 12,
            target: Some("node-1".to_owned()),
            job_end,
            healthy: Took::Ms(1_250),
            cleared: None,
            wrote: None,
            troubles: Vec::new(),
        }
    }

    fn right(fault: Fault) -> Happening {
        let mut one = happening(fault, JobEnd::Failed { why: String::new() });
        one.job_end = JobEnd::Printed { text: format!("{}\n", one.strike.job.answer()) };
        one
    }

    fn lost() -> JobEnd {
        JobEnd::Failed { why: "the kernel ended".to_owned() }
    }

    #[test]
    fn a_right_answer_breaks_nothing() {
        for fault in Fault::every() {
            assert_eq!(right(fault).broken(), Vec::<String>::new(), "{fault}");
        }
    }

    #[test]
    fn only_what_holds_the_job_may_lose_it() {
        for fault in Fault::every() {
            let may = matches!(fault.promise(), Promise::Lost { .. });
            assert_eq!(happening(fault, lost()).broken().is_empty(), may, "{fault}");
        }
    }

    #[test]
    fn every_way_to_break_a_promise_is_seen() {
        let wrong = happening(Fault::Kernel, JobEnd::Printed { text: "7".to_owned() });
        let unstruck = Happening { target: None, ..right(Fault::Executor) };
        let ill = Happening { healthy: Took::Never("node-1 is not ready".to_owned()), ..right(Fault::Agent) };
        let slow = Happening { healthy: Took::Ms(90_000), ..right(Fault::Agent) };
        let litter = Happening { cleared: Some(Took::Never("pods/a".to_owned())), ..happening(Fault::Kernel, lost()) };
        let late = Happening { cleared: Some(Took::Ms(60_000)), ..happening(Fault::Kernel, lost()) };
        let troubled = Happening { troubles: vec!["twins".to_owned()], ..right(Fault::Freeze) };
        for bad in [wrong, unstruck, ill, slow, litter, late, troubled] {
            assert_eq!(bad.broken().len(), 1, "{}", bad.line());
            let report = Report { seed: 1, happenings: vec![bad], leftovers: Vec::new() };
            assert!(!report.is_good());
        }
        assert!(!Report { seed: 1, happenings: Vec::new(), leftovers: vec!["a process".to_owned()] }.is_good());
    }

    #[test]
    fn how_it_reads() {
        let good = Happening { cleared: Some(Took::Ms(340)), ..right(Fault::Executor) };
        let bad = Happening { cleared: Some(Took::Never("pods/a".to_owned())), ..happening(Fault::Link, lost()) };
        let wrote = Some(Wrote { acknowledged: 40, compared: 61, longest_stall_ms: 830, ..Wrote::default() });
        let written = Happening { wrote, ..right(Fault::NameNode) };
        let lost = vec!["/rehearsal/3/s-1: 4 of 8 bytes".to_owned()];
        let wrote = Some(Wrote { acknowledged: 4, compared: 61, longest_stall_ms: 30, lost, ..Wrote::default() });
        let torn = Happening { wrote, ..right(Fault::DataNode) };
        let report =
            Report { seed: 3, happenings: vec![good, bad, written, torn], leftovers: vec!["a process".to_owned()] };
        let lines: Vec<String> = report.happenings.iter().map(Happening::line).chain([report.verdict()]).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
