//! What goes over a connection.

use super::headers::Headers;
use bytes::Bytes;
use std::fmt;

/// A stream's number: never zero. Clients make odd ones, each higher than the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(u32);

impl StreamId {
    /// The highest, 31 bits.
    pub const MAX: u32 = 0x7fff_ffff;

    /// The stream of this number, if it is one. The highest bit is reserved and passed over.
    pub fn new(number: u32) -> Option<Self> {
        let number = number & Self::MAX;
        (number != 0).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Whether a client made it.
    pub fn is_clients(self) -> bool {
        self.0 % 2 == 1
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a stream ends before its time (section 2.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It breaks the rules.
    ProtocolError,
    /// There is no such stream.
    InvalidStream,
    /// It was not begun.
    RefusedStream,
    /// It is not wanted any more.
    Cancel,
    /// The other end broke.
    InternalError,
    /// A window passed its limit.
    FlowControlError,
    /// Any other.
    Other(u32),
}

impl Status {
    /// As it is written.
    pub fn code(self) -> u32 {
        match self {
            Self::ProtocolError => 1,
            Self::InvalidStream => 2,
            Self::RefusedStream => 3,
            Self::Cancel => 5,
            Self::InternalError => 6,
            Self::FlowControlError => 7,
            Self::Other(code) => code,
        }
    }

    /// As it is read.
    pub fn of(code: u32) -> Self {
        match code {
            1 => Self::ProtocolError,
            2 => Self::InvalidStream,
            3 => Self::RefusedStream,
            5 => Self::Cancel,
            6 => Self::InternalError,
            7 => Self::FlowControlError,
            code => Self::Other(code),
        }
    }
}

/// A frame; of a long data frame, a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A new stream.
    SynStream {
        /// Its number.
        stream: StreamId,
        /// What it is for.
        headers: Headers,
        /// Its maker will send nothing on it.
        fin: bool,
    },
    /// A new stream is taken.
    SynReply {
        /// Which.
        stream: StreamId,
        /// More about it.
        headers: Headers,
        /// Its taker will send nothing on it.
        fin: bool,
    },
    /// A stream ends at once, both ways.
    Reset {
        /// Which.
        stream: StreamId,
        /// Why.
        status: Status,
    },
    /// Settings by number.
    Settings(Vec<(u32, u32)>),
    /// To be sent back by whom it is not from: a client's is odd.
    Ping(u32),
    /// The sender takes no new streams.
    GoAway {
        /// The last stream it took, zero for none.
        last: u32,
        /// Why; zero is nothing wrong.
        status: u32,
    },
    /// More headers of a stream.
    Headers {
        /// Which.
        stream: StreamId,
        /// The headers.
        headers: Headers,
        /// Its sender will send nothing more on it.
        fin: bool,
    },
    /// The sender can take more.
    WindowUpdate {
        /// On which stream; `None` on the whole connection.
        stream: Option<StreamId>,
        /// How many bytes more.
        delta: u32,
    },
    /// Bytes of a stream.
    Data {
        /// Which.
        stream: StreamId,
        /// The bytes.
        bytes: Bytes,
        /// Its sender will send nothing more on it.
        fin: bool,
    },
    /// A control frame of a kind that we do not know.
    Unknown(u16),
}

/// Kinds of control frames, as they are written.
pub(super) mod kind {
    pub const SYN_STREAM: u16 = 1;
    pub const SYN_REPLY: u16 = 2;
    pub const RST_STREAM: u16 = 3;
    pub const SETTINGS: u16 = 4;
    pub const PING: u16 = 6;
    pub const GOAWAY: u16 = 7;
    pub const HEADERS: u16 = 8;
    pub const WINDOW_UPDATE: u16 = 9;
}

/// The bit of a frame's first word that tells control frames from data.
pub(super) const CONTROL: u32 = 1 << 31;
/// Lengths have 24 bits.
pub(super) const LENGTH_MOST: u32 = (1 << 24) - 1;
/// The protocol's version in control frames.
pub(super) const VERSION: u16 = 3;
/// "Nothing more of me on this stream."
pub(super) const FIN: u8 = 1;
/// The setting of the window that new streams begin with.
pub(super) const INITIAL_WINDOW: u32 = 7;
