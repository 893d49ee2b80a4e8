//! Points in time as values. Reading the clock is the binary's business.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time: write RFC 3339, for example 2026-01-31T12:00:00Z")]
pub struct TimestampError(pub String);

impl Timestamp {
    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by `duration`, saturating.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Time passed since `earlier`; zero if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As Kubernetes writes `metav1.Time`: whole seconds, `2026-01-31T12:00:00Z`.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.seconds())
            .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |t| t.to_string())
    }

    /// As Kubernetes writes `metav1.MicroTime`: six decimals, `2026-01-31T12:00:00.000000Z`.
    pub fn rfc3339_micro(self) -> String {
        jiff::Timestamp::from_microsecond(self.0)
            .map_or_else(|_| "1970-01-01T00:00:00.000000Z".to_owned(), |t| format!("{t:.6}"))
    }

    /// Reads RFC 3339 with or without fractions and offsets.
    ///
    /// # Errors
    /// [`TimestampError`] when the text is not such a time.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_microsecond())).map_err(|_| TimestampError(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339_micro())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_both_forms() {
        let time = Timestamp(1_769_860_800_123_456);
        assert_eq!(time.rfc3339(), "2026-01-31T12:00:00Z");
        assert_eq!(time.rfc3339_micro(), "2026-01-31T12:00:00.123456Z");
        assert_eq!(Timestamp::parse("2026-01-31T13:00:00.123456+01:00"), Ok(time));
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
