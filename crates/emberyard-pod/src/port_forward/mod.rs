//! Forwarding a client's connections to ports of a pod: which of a client's streams belong together, what it is told,
//! and when it is over. Two framings, one [`Session`].
//!
//! Rule source: the kubelet's streaming server (`portforward.k8s.io` over SPDY, `v4.channel.k8s.io` over WebSocket).

mod channels;
mod error;
mod port;
mod requests;
mod streams;
#[cfg(test)]
mod tests;

pub use channels::Channels;
pub use error::{PortError, SessionError};
pub use port::{Port, ports};
pub use streams::Streams;

use crate::spdy::Transmit;
use bytes::Bytes;

/// One connection to a port of the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForwardId(u32);

/// What the client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection to a port.
    Dial {
        /// Its name from now on.
        forward: ForwardId,
        /// Where to.
        port: Port,
    },
    /// Bytes for the pod; tell [`Session::consumed`] when the pod has them.
    Data {
        /// On which connection.
        forward: ForwardId,
        /// The bytes.
        bytes: Bytes,
    },
    /// The client will send no more, and listens on.
    Ended {
        /// On which connection.
        forward: ForwardId,
    },
    /// The client does not want it any more: end it and [`Session::close`] it.
    Abandoned {
        /// Which connection.
        forward: ForwardId,
    },
}

/// How a connection to a port ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Both sides have said all.
    Done,
    /// The pod broke it off. It is not told in words: kubectl gives up all of its connections for one word.
    Cut,
    /// It could not be made; the reason is the kubelet's text.
    Failed(String),
}

/// The client's connections over one upgraded connection, in one of the framings.
pub trait Session {
    /// Whether a side that has said all can go on listening. Where not, the pod's end ends the connection.
    const HALF_CLOSE: bool;

    /// Takes a message, or any piece of a stream of bytes. After an error the session must be ended.
    fn receive(&mut self, message: Bytes) -> Result<Vec<Event>, SessionError>;

    /// Whether more may be read: not while too much waits for the pod, or for the client.
    fn may_receive(&self) -> bool;

    /// Bytes of the pod. How many are under way at one time is the caller's care.
    fn send(&mut self, forward: ForwardId, bytes: Bytes);

    /// The pod will send no more.
    fn finish(&mut self, forward: ForwardId);

    /// A connection is over.
    fn close(&mut self, forward: ForwardId, end: End) -> Result<(), SessionError>;

    /// The pod has taken bytes.
    fn consumed(&mut self, forward: ForwardId, bytes: usize) -> Result<(), SessionError>;

    /// Whether [`Session::transmit`] has something.
    fn has_output(&self) -> bool;

    /// The next message, and how much of whose data is in it.
    fn transmit(&mut self) -> Result<Transmit<ForwardId>, SessionError>;

    /// A second has passed.
    fn tick(&mut self) -> Result<(), SessionError>;

    /// Says that there will be no more.
    fn go_away(&mut self) -> Result<(), SessionError>;

    /// Whether all is said and nothing more can come.
    fn is_over(&self) -> bool;
}
