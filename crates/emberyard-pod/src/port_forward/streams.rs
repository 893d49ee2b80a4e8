//! `portforward.k8s.io`: each connection is two streams of SPDY/3.1, one for its bytes and one for what went wrong.

use super::error::SessionError;
use super::requests::{Pair, Requests};
use super::{End, Event, ForwardId, Session};
use crate::spdy::{self, Connection, Headers, Status, StreamId, Transmit};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Written at a time.
const MESSAGE: usize = 64 << 10;

/// A session of streams; see the module.
#[derive(Default)]
pub struct Streams {
    connection: Connection,
    requests: Requests,
    /// Pairs by the number of their data stream, which names the connection.
    pairs: BTreeMap<StreamId, Pair>,
    /// What came on data streams before their pair was whole.
    early: BTreeMap<StreamId, Vec<spdy::Event>>,
}

impl Streams {
    fn opened(&mut self, stream: StreamId, headers: &Headers, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let Ok(pair) = self.requests.open(stream, headers) else {
            return Ok(self.connection.reset(stream, Status::Cancel)?);
        };
        self.connection.accept(stream)?;
        let Some(pair) = pair else { return Ok(()) };
        self.pairs.insert(pair.data, pair);
        events.push(Event::Dial { forward: ForwardId(pair.data.get()), port: pair.port });
        for event in self.early.remove(&pair.data).into_iter().flatten() {
            self.take(event, events)?;
        }
        Ok(())
    }

    fn take(&mut self, event: spdy::Event, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let forward = |stream: StreamId| ForwardId(stream.get());
        match event {
            spdy::Event::Opened { stream, headers } => self.opened(stream, &headers, events)?,
            spdy::Event::Data { stream, bytes } => {
                if self.pairs.contains_key(&stream) {
                    events.push(Event::Data { forward: forward(stream), bytes });
                } else if self.requests.has_data(stream) {
                    self.early.entry(stream).or_default().push(spdy::Event::Data { stream, bytes });
                } else {
                    // Of a connection that is over, or on a stream for errors.
                    self.connection.consumed(stream, bytes.len())?;
                }
            }
            spdy::Event::Ended { stream } => {
                if self.pairs.contains_key(&stream) {
                    events.push(Event::Ended { forward: forward(stream) });
                } else if self.requests.has_data(stream) {
                    self.early.entry(stream).or_default().push(spdy::Event::Ended { stream });
                }
            }
            spdy::Event::Reset { stream } => {
                // Without its stream for errors a connection can go on.
                if self.pairs.contains_key(&stream) {
                    events.push(Event::Abandoned { forward: forward(stream) });
                } else {
                    let forgotten = self.requests.forget(stream);
                    self.refuse(forgotten)?;
                }
            }
            spdy::Event::GoneAway => {}
        }
        Ok(())
    }

    /// Streams without their other go.
    fn refuse(&mut self, streams: Vec<StreamId>) -> Result<(), SessionError> {
        for stream in streams {
            self.connection.reset(stream, Status::Cancel)?;
            for event in self.early.remove(&stream).into_iter().flatten() {
                if let spdy::Event::Data { bytes, .. } = event {
                    self.connection.consumed(stream, bytes.len())?;
                }
            }
        }
        Ok(())
    }
}

fn stream(forward: ForwardId) -> Option<StreamId> {
    StreamId::new(forward.0)
}

impl Session for Streams {
    const HALF_CLOSE: bool = true;

    fn receive(&mut self, message: Bytes) -> Result<Vec<Event>, SessionError> {
        let mut events = Vec::new();
        for event in self.connection.receive(&message)? {
            self.take(event, &mut events)?;
        }
        Ok(events)
    }

    fn may_receive(&self) -> bool {
        self.connection.may_receive()
    }

    fn send(&mut self, forward: ForwardId, bytes: Bytes) {
        if let Some(stream) = stream(forward) {
            self.connection.send(stream, bytes);
        }
    }

    fn finish(&mut self, forward: ForwardId) {
        if let Some(stream) = stream(forward) {
            self.connection.finish(stream);
        }
    }

    fn close(&mut self, forward: ForwardId, end: End) -> Result<(), SessionError> {
        let Some(pair) = stream(forward).and_then(|stream| self.pairs.remove(&stream)) else { return Ok(()) };
        match end {
            End::Done => {}
            End::Cut => self.connection.reset(pair.data, Status::InternalError)?,
            End::Failed(why) => self.connection.send(pair.error, why.into()),
        }
        self.connection.finish(pair.data);
        self.connection.finish(pair.error);
        Ok(())
    }

    fn consumed(&mut self, forward: ForwardId, bytes: usize) -> Result<(), SessionError> {
        match stream(forward) {
            Some(stream) => Ok(self.connection.consumed(stream, bytes)?),
            None => Ok(()),
        }
    }

    fn has_output(&self) -> bool {
        self.connection.has_output()
    }

    fn transmit(&mut self) -> Result<Transmit<ForwardId>, SessionError> {
        let Transmit { bytes, sent } = self.connection.transmit(MESSAGE)?;
        Ok(Transmit { bytes, sent: sent.into_iter().map(|(stream, bytes)| (ForwardId(stream.get()), bytes)).collect() })
    }

    fn tick(&mut self) -> Result<(), SessionError> {
        let late = self.requests.tick();
        self.refuse(late)
    }

    fn go_away(&mut self) -> Result<(), SessionError> {
        Ok(self.connection.go_away()?)
    }

    fn is_over(&self) -> bool {
        self.connection.is_over()
    }
}
