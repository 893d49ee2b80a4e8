//! Kubernetes quantities: exact decimal and binary numbers with suffixes.
//!
//! Rule source: `k8s.io/apimachinery/pkg/api/resource` (the `Quantity` type). Values are kept in
//! billionths (nano), the finest unit Kubernetes accepts; finer input rounds up, as there.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a quantity: write a number with an optional suffix such as m, k, M, G, Ki, Mi, Gi, or an exponent"
)]
pub struct QuantityError(pub String);

/// An exact number of billionths, as Kubernetes writes amounts (`100m`, `1408Mi`, `1e3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity {
    nano: i128,
}

const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Zero.
    pub const ZERO: Self = Self { nano: 0 };

    /// From thousandths (milli-CPU).
    pub const fn from_milli(milli: i64) -> Self {
        Self { nano: milli as i128 * 1_000_000 }
    }

    /// From whole units (bytes, pieces).
    pub const fn from_units(units: i64) -> Self {
        Self { nano: units as i128 * NANO }
    }

    /// Thousandths, rounded up (as the scheduler counts CPU).
    pub fn milli(self) -> i64 {
        clamp(ceil_div(self.nano, 1_000_000))
    }

    /// Whole units, rounded up (as the scheduler counts memory).
    pub fn units(self) -> i64 {
        clamp(ceil_div(self.nano, NANO))
    }

    /// Reads Kubernetes' notation.
    ///
    /// # Errors
    /// [`QuantityError`] when the text is not a quantity or exceeds 2^63 units.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError(text.to_owned());
        let end = text
            .char_indices()
            .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || (i == 0 && (c == '+' || c == '-'))))
            .map_or(text.len(), |(i, _)| i);
        let (number, suffix) = text.split_at(end);
        let (numerator, denominator) = scale(suffix).ok_or_else(bad)?;
        let (negative, digits) = match number.as_bytes().first() {
            Some(b'-') => (true, &number[1..]),
            Some(b'+') => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || digits.len() > 40 {
            return Err(bad());
        }
        let mut value: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            value = value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit - b'0'))).ok_or_else(bad)?;
        }
        let fraction_scale = 10_i128.checked_pow(u32::try_from(fraction.len()).map_err(|_| bad())?).ok_or_else(bad)?;
        let scaled = value.checked_mul(numerator).and_then(|v| v.checked_mul(NANO)).ok_or_else(bad)?;
        let nano = ceil_div(scaled, denominator.checked_mul(fraction_scale).ok_or_else(bad)?);
        if nano / NANO > i128::from(i64::MAX) {
            return Err(bad());
        }
        Ok(Self { nano: if negative { -nano } else { nano } })
    }

    /// Sum, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { nano: self.nano.saturating_add(other.nano) }
    }

    /// Difference, saturating; may be negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self { nano: self.nano.saturating_sub(other.nano) }
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.nano < 0
    }
}

/// The multiplier of a suffix as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (NANO, 1),
        "T" => (1000 * NANO, 1),
        "P" => (1_000_000 * NANO, 1),
        "E" => (NANO * NANO, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

fn ceil_div(value: i128, by: i128) -> i128 {
    value.div_euclid(by) + i128::from(value.rem_euclid(by) != 0)
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano % NANO == 0 {
            let units = self.nano / NANO;
            for (suffix, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
                if units != 0 && units % (1 << shift) == 0 {
                    return write!(f, "{}{suffix}", units >> shift);
                }
            }
            return write!(f, "{units}");
        }
        for (suffix, step) in [("m", 1_000_000), ("u", 1000)] {
            if self.nano % step == 0 {
                return write!(f, "{}{suffix}", self.nano / step);
            }
        }
        write!(f, "{}n", self.nano)
    }
}

impl Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = match &value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            other => return Err(serde::de::Error::custom(QuantityError(other.to_string()))),
        };
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Thousandths of a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpu(pub u64);

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quantity::from_milli(clamp(i128::from(self.0))))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quantity::from_units(clamp(i128::from(self.0))))
    }
}

/// What a pod asks for or a node offers: CPU, memory and places for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Resources {
    /// Thousandths of a CPU.
    pub cpu: Cpu,
    /// Bytes of memory.
    pub memory: Bytes,
    /// Number of pods.
    pub pods: u32,
}

impl Resources {
    /// Whether `wanted` fits into `self` in every dimension.
    pub fn holds(&self, wanted: &Self) -> bool {
        self.cpu >= wanted.cpu && self.memory >= wanted.memory && self.pods >= wanted.pods
    }

    /// Sum in every dimension, saturating.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_add(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// What is left, never below zero.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_sub(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_sub(other.memory.0)),
            pods: self.pods.saturating_sub(other.pods),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kubernetes_writes() {
        let table = [
            ("1", 1000, 1),
            ("100m", 100, 1),
            ("0.5", 500, 1),
            ("1408Mi", 1408 << 20, 1408 << 20),
            ("1e3", 1_000_000, 1000),
            ("2k", 2_000_000, 2000),
            (".5", 500, 1),
            ("1n", 1, 1),
            ("-1", -1000, -1),
            ("1.5Gi", 0, 1_610_612_736),
        ];
        for (text, milli, units) in table {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.units(), units, "{text}");
            if !text.ends_with('i') {
                assert_eq!(quantity.milli(), milli, "{text}");
            }
        }
        for text in ["", "x", "1x", "1..2", "--1", "1e", "1e99", "9999999999999999999999", "1 ", "Ki"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn display_round_trips(milli in -1_000_000_000_000_i64..1_000_000_000_000) {
            let quantity = Quantity::from_milli(milli);
            proptest::prop_assert_eq!(Quantity::parse(&quantity.to_string()).unwrap(), quantity);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = Quantity::parse(&text);
        }
    }
}
