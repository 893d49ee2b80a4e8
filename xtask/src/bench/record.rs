//! A benchmark's result as it is kept in `bench/results/NAME.json`.

use super::machine::{Machine, Program};
use super::series::Series;
use serde::{Deserialize, Serialize};

/// One run of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// The benchmark's name.
    pub bench: String,
    /// What it measures.
    pub about: String,
    /// The day.
    pub taken: String,
    pub rounds: usize,
    pub machine: Machine,
    pub program: Program,
    pub measures: Vec<Measure>,
}

/// One line of the result: our figure, and the peer's from the same run where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Measure {
    pub what: String,
    pub unit: Unit,
    pub ours: Series,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// What the reader must know to judge it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The other side of the same run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    pub name: String,
    pub series: Series,
}

/// What was promised. At most this where less is better, at least this where more is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// In the measure's unit.
    Value(f64),
    /// Of our median to the peer's.
    Ratio(f64),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    Seconds,
    Milliseconds,
    /// 10^6 bytes.
    Megabytes,
    /// 2^30 bytes.
    Gibibytes,
    PerSecond,
    PerMinute,
    /// Of one core's time.
    CorePercent,
    /// Of all there are; more is better.
    Percent,
    /// Of the bytes read; less is better.
    PercentCrossed,
}

impl Unit {
    /// As it is written behind a figure.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::Gibibytes => "GiB",
            Self::PerSecond => "/s",
            Self::PerMinute => "/min",
            Self::CorePercent => "% of a core",
            Self::Percent => "%",
            Self::PercentCrossed => "% of the bytes",
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond | Self::PerMinute | Self::Percent)
    }
}

impl Measure {
    /// A figure of ours alone.
    pub fn new(what: impl Into<String>, unit: Unit, samples: Vec<f64>) -> Result<Self, String> {
        let what = what.into();
        let ours = Series::of(samples).map_err(|error| format!("{what}: {error}"))?;
        Ok(Self { what, unit, ours, peer: None, limit: None, note: None })
    }

    /// Beside the peer's.
    pub fn against(mut self, name: impl Into<String>, samples: Vec<f64>) -> Result<Self, String> {
        let series = Series::of(samples).map_err(|error| format!("{}, peer: {error}", self.what))?;
        self.peer = Some(Peer { name: name.into(), series });
        Ok(self)
    }

    /// With what was promised.
    pub fn limited(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// With what the reader must know.
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Our median to the peer's; none where the peer has nothing at all.
    pub fn ratio(&self) -> Option<f64> {
        self.peer.as_ref().filter(|peer| peer.series.median != 0.0).map(|peer| self.ours.median / peer.series.median)
    }

    /// Whether the peer is better.
    pub fn loses(&self) -> bool {
        self.ratio().is_some_and(|ratio| if self.unit.more_is_better() { ratio < 1.0 } else { ratio > 1.0 })
    }

    /// Whether the promise is kept; none where nothing was promised, or a ratio without a peer.
    pub fn keeps(&self) -> Option<bool> {
        let (reached, promised) = match self.limit? {
            Limit::Value(promised) => (self.ours.median, promised),
            Limit::Ratio(promised) => (self.ratio()?, promised),
        };
        Some(if self.unit.more_is_better() { reached >= promised } else { reached <= promised })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(unit: Unit, ours: f64, peer: f64) -> Measure {
        Measure::new("x", unit, vec![ours]).unwrap().against("peer", vec![peer]).unwrap()
    }

    #[test]
    fn less_wins_for_seconds_and_more_for_rates() {
        assert!(!measure(Unit::Seconds, 1.0, 2.0).loses());
        assert!(measure(Unit::Seconds, 3.0, 2.0).loses());
        assert!(!measure(Unit::PerSecond, 3.0, 2.0).loses());
        assert!(measure(Unit::PerSecond, 1.0, 2.0).loses());
    }

    #[test]
    fn a_promise_is_at_most_or_at_least() {
        let seconds = measure(Unit::Seconds, 1.0, 2.0);
        assert_eq!(seconds.clone().limited(Limit::Ratio(0.5)).keeps(), Some(true));
        assert_eq!(seconds.clone().limited(Limit::Ratio(0.4)).keeps(), Some(false));
        assert_eq!(seconds.clone().limited(Limit::Value(0.9)).keeps(), Some(false));
        assert_eq!(seconds.keeps(), None);
        assert_eq!(measure(Unit::PerSecond, 96.0, 100.0).limited(Limit::Ratio(0.97)).keeps(), Some(false));
        assert_eq!(measure(Unit::PerSecond, 98.0, 100.0).limited(Limit::Ratio(0.97)).keeps(), Some(true));
    }
}
