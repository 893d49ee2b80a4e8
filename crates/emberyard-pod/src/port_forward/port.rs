//! Ports as clients write them.

use super::error::PortError;
use std::fmt;
use std::num::NonZeroU16;

/// A port of the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(NonZeroU16);

impl Port {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, PortError> {
        let number: u16 = text.parse().map_err(|_| PortError::NotANumber(text.to_owned()))?;
        NonZeroU16::new(number).map(Self).ok_or_else(|| PortError::Zero(text.to_owned()))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ports of a query's values, each one or several with commas. Each takes two of 256 channels; 255 is not used.
pub fn ports<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Vec<Port>, PortError> {
    let ports =
        values.into_iter().flat_map(|value| value.split(',')).map(Port::parse).collect::<Result<Vec<_>, _>>()?;
    match ports.len() {
        0 => Err(PortError::Missing),
        1..=127 => Ok(ports),
        many => Err(PortError::TooMany(many)),
    }
}
