//! Which streams belong together: clients make two for each connection, one for errors and one for data, and give both the
//! same request's number.

use super::port::Port;
use crate::spdy::{Headers, StreamId};
use std::collections::BTreeMap;

/// Seconds that a stream waits for its other.
const PATIENCE: u32 = 30;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data(Port),
    Error,
}

/// A stream that can't be used, as the kubelet says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("\"{0}\" header is required")]
    Missing(&'static str),
    #[error("invalid stream type \"{0}\"")]
    Kind(String),
    #[error(transparent)]
    Port(#[from] super::error::PortError),
    #[error("the request has such a stream already")]
    Twice,
}

/// Both streams of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub port: Port,
    pub data: StreamId,
    pub error: StreamId,
}

#[derive(Debug, Default)]
struct Half {
    data: Option<(StreamId, Port)>,
    error: Option<StreamId>,
    waited: u32,
}

/// Streams that wait for their other.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<String, Half>);

impl Requests {
    /// Takes a new stream; the pair if it is whole with it.
    pub(super) fn open(&mut self, stream: StreamId, headers: &Headers) -> Result<Option<Pair>, Unusable> {
        let header = |name| headers.get(name).filter(|value| !value.is_empty());
        let port = Port::parse(header("port").ok_or(Unusable::Missing("port"))?)?;
        let kind = match header("streamType").ok_or(Unusable::Missing("streamType"))? {
            "data" => Kind::Data(port),
            "error" => Kind::Error,
            other => return Err(Unusable::Kind(other.to_owned())),
        };
        // Old clients give no number: they make the data stream right after the error stream.
        let request = header("requestID").map(str::to_owned).unwrap_or_else(|| match kind {
            Kind::Error => stream.get().to_string(),
            Kind::Data(_) => stream.get().saturating_sub(2).to_string(),
        });
        let half = self.0.entry(request.clone()).or_default();
        match kind {
            Kind::Data(port) if half.data.is_none() => half.data = Some((stream, port)),
            Kind::Error if half.error.is_none() => half.error = Some(stream),
            _ => return Err(Unusable::Twice),
        }
        let (Some((data, port)), Some(error)) = (half.data, half.error) else { return Ok(None) };
        self.0.remove(&request);
        Ok(Some(Pair { port, data, error }))
    }

    /// Whether this is a data stream that waits for its other.
    pub(super) fn has_data(&self, stream: StreamId) -> bool {
        self.0.values().any(|half| half.data.is_some_and(|(data, _)| data == stream))
    }

    /// Forgets a stream and its request; all the streams that this had.
    pub(super) fn forget(&mut self, stream: StreamId) -> Vec<StreamId> {
        self.take(|half| half.streams().any(|known| known == stream))
    }

    /// A second has passed: streams that have waited too long, forgotten now.
    pub(super) fn tick(&mut self) -> Vec<StreamId> {
        self.0.values_mut().for_each(|half| half.waited += 1);
        self.take(|half| half.waited > PATIENCE)
    }

    fn take(&mut self, which: impl Fn(&Half) -> bool) -> Vec<StreamId> {
        let taken = self.0.values().filter(|half| which(half)).flat_map(Half::streams).collect();
        self.0.retain(|_, half| !which(half));
        taken
    }
}

impl Half {
    fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.error.into_iter().chain(self.data.map(|(data, _)| data))
    }
}
