//! SPDY/3.1 framing, as `kubectl port-forward` speaks it: frames, header compression, the server's side of a connection.
//!
//! Rule source: "SPDY Protocol, Draft 3.1", and what Kubernetes' clients make of it (`moby/spdystream`): they send
//! neither SETTINGS nor WINDOW_UPDATE and pass over those of others. See `decisions/0013-own-spdy.md`.

mod connection;
mod decode;
mod dictionary;
mod encode;
mod error;
mod flow;
mod frame;
mod headers;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Event, Transmit};
pub use decode::Decoder;
pub use encode::Encoder;
pub use error::SpdyError;
pub use frame::{Frame, Status, StreamId};
pub use headers::Headers;
