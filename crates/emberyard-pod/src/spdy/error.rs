//! What a peer can get wrong so badly that its connection ends.

/// A broken rule of the framing. The header compression has one state for the whole connection, so there is no going on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpdyError {
    /// Another version of the protocol.
    #[error("a SPDY frame of version {0}, not 3")]
    Version(u16),
    /// A control frame longer than any that we take.
    #[error("a SPDY control frame of {length} bytes, more than {most}")]
    ControlTooLong {
        /// As the frame says it.
        length: usize,
        /// The most.
        most: usize,
    },
    /// A frame too short for its kind, or with a length that does not fit.
    #[error("a malformed SPDY frame: {0}")]
    Malformed(&'static str),
    /// A stream's number that is zero, not a client's, or not higher than the last.
    #[error("{0} is not the number of a new SPDY stream")]
    StreamNumber(u32),
    /// Compressed headers that are none.
    #[error("the headers of a SPDY frame can't be unpacked: {0}")]
    Compression(String),
    /// Headers that grow beyond what we take.
    #[error("the headers of a SPDY frame are longer than {0} bytes")]
    HeadersTooLong(usize),
    /// More window than the protocol knows.
    #[error("the SPDY window of the connection would pass 2^31 - 1")]
    WindowOverflow,
}
