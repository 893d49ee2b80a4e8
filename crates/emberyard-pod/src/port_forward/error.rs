//! What clients get wrong.

use crate::spdy::SpdyError;

/// A port that is none, in the kubelet's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// No port is named.
    #[error("query parameter \"port\" is required")]
    Missing,
    /// Not a number of 16 bits.
    #[error("unable to parse \"{0}\" as a port")]
    NotANumber(String),
    /// Zero.
    #[error("port \"{0}\" must be > 0")]
    Zero(String),
    /// More than there are channels for.
    #[error("{0} ports are more than the 127 that have channels")]
    TooMany(usize),
}

/// A session that can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The framing is broken.
    #[error(transparent)]
    Spdy(#[from] SpdyError),
    /// A message without the number of its channel.
    #[error("a message without a channel")]
    NoChannel,
}
