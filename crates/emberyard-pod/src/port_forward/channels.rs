//! `v4.channel.k8s.io`: every message begins with a channel's number. The ports are named in the request; each has a data
//! channel and an error channel, and the first message of both is the port, little endian.

use super::error::SessionError;
use super::port::Port;
use super::{End, Event, ForwardId, Session};
use crate::spdy::Transmit;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;

/// Bytes that were received and not passed on yet, before no more are received.
const WAITING: usize = 1 << 20;
/// The longest message we send.
const MESSAGE: usize = 32 << 10;

/// A port and its two channels.
#[derive(Default)]
struct Pair {
    queue: VecDeque<Bytes>,
    /// The port's number is still to be said, on both channels.
    unsaid: VecDeque<Bytes>,
    error: Option<Bytes>,
    closed: bool,
}

impl Pair {
    fn has_output(&self) -> bool {
        !self.unsaid.is_empty() || !self.queue.is_empty() || self.error.is_some()
    }
}

/// A session of channels; see the module.
pub struct Channels {
    pairs: Vec<Pair>,
    turn: usize,
    waiting: usize,
}

impl Channels {
    /// A session for these ports (at most 127), and the connections to begin with.
    pub fn new(ports: &[Port]) -> (Self, Vec<Event>) {
        let pair = |port: &Port| {
            let number = Bytes::copy_from_slice(&port.get().to_le_bytes());
            Pair { unsaid: [number.clone(), number].into(), ..Pair::default() }
        };
        let dial = |(forward, port): (u32, &Port)| Event::Dial { forward: ForwardId(forward), port: *port };
        let this = Self { pairs: ports.iter().map(pair).collect(), turn: 0, waiting: 0 };
        (this, (0..).zip(ports).map(dial).collect())
    }

    fn pair(&mut self, forward: ForwardId) -> Option<&mut Pair> {
        self.pairs.get_mut(usize::try_from(forward.0).ok()?).filter(|pair| !pair.closed)
    }

    fn message(channel: usize, bytes: &[u8]) -> Bytes {
        let mut message = BytesMut::with_capacity(bytes.len() + 1);
        message.put_u8(u8::try_from(channel).unwrap_or(u8::MAX));
        message.extend_from_slice(bytes);
        message.freeze()
    }
}

impl Session for Channels {
    const HALF_CLOSE: bool = false;

    fn receive(&mut self, message: Bytes) -> Result<Vec<Event>, SessionError> {
        let channel = *message.first().ok_or(SessionError::NoChannel)?;
        let (forward, bytes) = (ForwardId(u32::from(channel / 2)), message.slice(1..));
        // Nothing is to be said on error channels.
        if channel % 2 == 1 || bytes.is_empty() || self.pair(forward).is_none() {
            return Ok(Vec::new());
        }
        self.waiting += bytes.len();
        Ok(vec![Event::Data { forward, bytes }])
    }

    fn may_receive(&self) -> bool {
        self.waiting < WAITING
    }

    fn send(&mut self, forward: ForwardId, bytes: Bytes) {
        if let Some(pair) = self.pair(forward) {
            pair.queue.push_back(bytes);
        }
    }

    fn finish(&mut self, _: ForwardId) {}

    fn close(&mut self, forward: ForwardId, end: End) -> Result<(), SessionError> {
        if let Some(pair) = self.pair(forward) {
            pair.closed = true;
            if let End::Failed(why) = end {
                pair.error = Some(why.into());
            }
        }
        Ok(())
    }

    fn consumed(&mut self, _: ForwardId, bytes: usize) -> Result<(), SessionError> {
        self.waiting = self.waiting.saturating_sub(bytes);
        Ok(())
    }

    fn has_output(&self) -> bool {
        self.pairs.iter().any(Pair::has_output)
    }

    fn transmit(&mut self) -> Result<Transmit<ForwardId>, SessionError> {
        let count = self.pairs.len().max(1);
        let mut in_turn = (1..=count).map(|step| (self.turn + step) % count);
        let next = in_turn.find(|number| self.pairs.get(*number).is_some_and(Pair::has_output));
        let Some((number, pair)) = next.and_then(|number| Some((number, self.pairs.get_mut(number)?))) else {
            return Ok(Transmit { bytes: Bytes::new(), sent: Vec::new() });
        };
        self.turn = number;
        let data = number * 2;
        let mut sent = Vec::new();
        let bytes = if let Some(port) = pair.unsaid.pop_front() {
            Self::message(data + usize::from(pair.unsaid.is_empty()), &port)
        } else if let Some(first) = pair.queue.front_mut() {
            let piece = first.split_to(first.len().min(MESSAGE));
            if first.is_empty() {
                pair.queue.pop_front();
            }
            sent.push((ForwardId(u32::try_from(number).unwrap_or(u32::MAX)), piece.len()));
            Self::message(data, &piece)
        } else {
            Self::message(data + 1, &pair.error.take().unwrap_or_default())
        };
        Ok(Transmit { bytes, sent })
    }

    fn tick(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    fn go_away(&mut self) -> Result<(), SessionError> {
        self.pairs.iter_mut().for_each(|pair| pair.closed = true);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.pairs.iter().all(|pair| pair.closed && !pair.has_output())
    }
}
