//! A Spark session as its user sees it: who works, who waits for what, who ended and why.
//!
//! Part of a [`crate::NotebookStatus`]: one source for `emberyard status`, the read-only page and the notebook's own
//! output.

use crate::score::HdfsScore;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One Spark application and its executors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionStatus {
    /// Spark's id of the application.
    pub application: String,
    /// When its first executor was asked for, RFC 3339.
    pub since: String,
    /// Executors whose pods run.
    pub running: u32,
    /// Executors that wait, grouped by what they wait for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Executors that ended in mid-work, the newest last; the oldest are dropped beyond [`MOST_ENDED`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<EndedExecutor>,
    /// How local its reading of HDFS was so far; absent where it read none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hdfs: Option<HdfsScore>,
}

/// Ended executors that are remembered for each session.
pub const MOST_ENDED: usize = 10;

/// Executors that wait for the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Waiting {
    /// Their pods.
    pub pods: Vec<String>,
    /// For what, a sentence.
    pub why: String,
    /// Waiting is no use: it can never be had as it was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
    /// When it is expected, RFC 3339; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// An executor that ended in mid-work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndedExecutor {
    /// Its pod.
    pub pod: String,
    /// When, RFC 3339.
    pub at: String,
    /// What happened, a sentence.
    pub what: String,
    /// What to change, a sentence; empty where nothing need be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

impl SessionStatus {
    /// How many executors wait.
    pub fn waiting_count(&self) -> usize {
        self.waiting.iter().map(|one| one.pods.len()).sum()
    }

    /// A sentence for each that waits, then for each that ended, then the score.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let waiting = self.waiting.iter().map(ToString::to_string);
        let ended = self.ended.iter().map(ToString::to_string);
        waiting.chain(ended).chain(self.hdfs.iter().map(ToString::to_string))
    }
}

impl fmt::Display for Waiting {
    /// `3 executors wait: a node boots, expected about 12:00:05Z.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pods.len() {
            1 => write!(f, "{} waits: {}", self.pods[0], self.why),
            several => write!(f, "{several} executors wait: {}", self.why),
        }
    }
}

impl fmt::Display for EndedExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended: {}", self.pod, self.what)?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, " {}", self.cure) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_sentences() {
        let one = Waiting { pods: vec!["a-exec-1".into()], why: "a node boots.".into(), ..Waiting::default() };
        assert_eq!(one.to_string(), "a-exec-1 waits: a node boots.");
        let two = Waiting { pods: vec!["a".into(), "b".into()], ..one };
        assert_eq!(two.to_string(), "2 executors wait: a node boots.");
        let ended = EndedExecutor { pod: "a".into(), what: "It was killed.".into(), ..EndedExecutor::default() };
        assert_eq!(ended.to_string(), "a ended: It was killed.");
    }
}
