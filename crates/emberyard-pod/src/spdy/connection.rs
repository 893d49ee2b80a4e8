//! The server's side of a connection: which streams there are, what may be sent, what must be answered.
//!
//! Windows are kept as the protocol has them: for data we send, once the peer shows that it counts (Kubernetes' clients
//! never do, and would wait for ever for what a window holds back); for data we take, always told. Against a peer that
//! does not count, [`Connection::may_receive`] says when to leave the rest to TCP.

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::SpdyError;
use super::flow::{Room, Untold, WINDOW};
use super::frame::{Frame, INITIAL_WINDOW, Status, StreamId};
use super::headers::Headers;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// Streams at one time; a connection to a port takes two.
const STREAMS: usize = 1024;
/// Bytes that were received and not passed on yet, before no more are received.
const WAITING: usize = 1 << 20;
/// Answers (replies, pings) that the peer does not fetch, before no more are received.
const ANSWERS: usize = 64 << 10;
/// As much of one stream goes out before the next has its turn.
const TURN: usize = 16 << 10;

/// What the peer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Began a stream: [`Connection::accept`] or [`Connection::reset`] it.
    Opened {
        /// Which.
        stream: StreamId,
        /// What for.
        headers: Headers,
    },
    /// Sent bytes; tell [`Connection::consumed`] when they have been passed on.
    Data {
        /// On which stream.
        stream: StreamId,
        /// The bytes.
        bytes: Bytes,
    },
    /// Will send no more.
    Ended {
        /// On which stream.
        stream: StreamId,
    },
    /// Gave a stream up, both ways.
    Reset {
        /// Which.
        stream: StreamId,
    },
    /// Will begin no more streams.
    GoneAway,
}

/// What is to be written, and what of it was data.
#[derive(Debug)]
pub struct Transmit<K> {
    /// To be written as it is.
    pub bytes: Bytes,
    /// How much of whose data left the queues.
    pub sent: Vec<(K, usize)>,
}

/// How far our side of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    Open,
    /// Nothing will be queued any more.
    Finishing,
    /// The end has been sent.
    Finished,
}

struct Stream {
    queue: VecDeque<Bytes>,
    ours: Ours,
    /// The peer will send no more.
    ended: bool,
    room: Room,
    untold: Untold,
}

/// See the module.
pub struct Connection {
    decoder: Decoder,
    encoder: Encoder,
    answers: Vec<u8>,
    streams: BTreeMap<StreamId, Stream>,
    /// The highest stream that the peer has begun.
    last: u32,
    /// Whose turn it was.
    turn: Option<StreamId>,
    /// Whether the peer has shown that it counts.
    counts: bool,
    initial: i64,
    room: Room,
    untold: Untold,
    waiting: usize,
    gone: bool,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            answers: Vec::new(),
            streams: BTreeMap::new(),
            last: 0,
            turn: None,
            counts: false,
            initial: WINDOW,
            room: Room::new(WINDOW),
            untold: Untold::default(),
            waiting: 0,
            gone: false,
        }
    }
}

impl Connection {
    /// Takes what was read. After an error the connection must be closed.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Event>, SpdyError> {
        self.decoder.push(bytes);
        let mut events = Vec::new();
        while let Some(frame) = self.decoder.frame()? {
            self.take(frame, &mut events)?;
        }
        Ok(events)
    }

    /// Whether more may be read. If not, it may be again after [`Connection::consumed`] or [`Connection::transmit`].
    pub fn may_receive(&self) -> bool {
        self.waiting < WAITING && self.answers.len() < ANSWERS
    }

    fn take(&mut self, frame: Frame, events: &mut Vec<Event>) -> Result<(), SpdyError> {
        match frame {
            Frame::SynStream { stream, headers, fin } => {
                if !stream.is_clients() || stream.get() <= self.last {
                    return Err(SpdyError::StreamNumber(stream.get()));
                }
                self.last = stream.get();
                if self.gone || self.streams.len() >= STREAMS {
                    return self.answer(&Frame::Reset { stream, status: Status::RefusedStream });
                }
                let (room, untold) = (Room::new(self.initial), Untold::default());
                let new = Stream { queue: VecDeque::new(), ours: Ours::Open, ended: false, room, untold };
                self.streams.insert(stream, new);
                events.push(Event::Opened { stream, headers });
                if fin {
                    self.ended(stream, events);
                }
            }
            Frame::Data { stream, bytes, fin } => {
                self.waiting += bytes.len();
                if self.streams.get(&stream).is_none_or(|known| known.ended) {
                    // Of a stream that is over: under way when it ended.
                    return self.consumed(stream, bytes.len());
                }
                if !bytes.is_empty() {
                    events.push(Event::Data { stream, bytes });
                }
                if fin {
                    self.ended(stream, events);
                }
            }
            Frame::Headers { stream, fin: true, .. } => self.ended(stream, events),
            Frame::Reset { stream, .. } => {
                if self.streams.remove(&stream).is_some() {
                    events.push(Event::Reset { stream });
                }
            }
            // A client's ping; the others would answer ours.
            Frame::Ping(number) if number % 2 == 1 => return self.answer(&Frame::Ping(number)),
            Frame::GoAway { .. } => {
                self.gone = true;
                events.push(Event::GoneAway);
            }
            Frame::Settings(entries) => return self.settings(&entries),
            Frame::WindowUpdate { stream, delta } => return self.more_room(stream, delta),
            Frame::Ping(_) | Frame::Headers { .. } | Frame::SynReply { .. } | Frame::Unknown(_) => {}
        }
        Ok(())
    }

    fn ended(&mut self, stream: StreamId, events: &mut Vec<Event>) {
        if let Some(known) = self.streams.get_mut(&stream).filter(|known| !known.ended) {
            known.ended = true;
            if known.ours == Ours::Finished {
                self.streams.remove(&stream);
            }
            events.push(Event::Ended { stream });
        }
    }

    fn settings(&mut self, entries: &[(u32, u32)]) -> Result<(), SpdyError> {
        let Some((_, window)) = entries.iter().find(|(name, _)| *name == INITIAL_WINDOW) else { return Ok(()) };
        self.counts = true;
        let window = i64::from(*window).min(i64::from(i32::MAX));
        let delta = window - self.initial;
        self.initial = window;
        if self.streams.values_mut().all(|stream| stream.room.change(delta)) {
            Ok(())
        } else {
            Err(SpdyError::WindowOverflow)
        }
    }

    fn more_room(&mut self, stream: Option<StreamId>, delta: u32) -> Result<(), SpdyError> {
        self.counts = true;
        let Some(stream) = stream else {
            return if self.room.change(delta.into()) { Ok(()) } else { Err(SpdyError::WindowOverflow) };
        };
        let fits = self.streams.get_mut(&stream).is_none_or(|known| known.room.change(delta.into()));
        if fits { Ok(()) } else { self.reset(stream, Status::FlowControlError) }
    }

    /// Takes a stream.
    pub fn accept(&mut self, stream: StreamId) -> Result<(), SpdyError> {
        self.answer(&Frame::SynReply { stream, headers: Headers::default(), fin: false })
    }

    /// Ends a stream at once, both ways.
    pub fn reset(&mut self, stream: StreamId, status: Status) -> Result<(), SpdyError> {
        if self.streams.remove(&stream).is_none() {
            return Ok(());
        }
        self.answer(&Frame::Reset { stream, status })
    }

    /// Queues bytes. How many may be queued is the caller's care; [`Connection::transmit`] says when they have left.
    pub fn send(&mut self, stream: StreamId, bytes: Bytes) {
        if let Some(known) = self.streams.get_mut(&stream).filter(|known| known.ours == Ours::Open) {
            known.queue.push_back(bytes);
        }
    }

    /// Ends our side of a stream after what is queued.
    pub fn finish(&mut self, stream: StreamId) {
        if let Some(known) = self.streams.get_mut(&stream).filter(|known| known.ours == Ours::Open) {
            known.ours = Ours::Finishing;
        }
    }

    /// Bytes of a stream have been passed on, or thrown away.
    pub fn consumed(&mut self, stream: StreamId, bytes: usize) -> Result<(), SpdyError> {
        self.waiting = self.waiting.saturating_sub(bytes);
        if let Some(delta) = self.untold.add(bytes) {
            self.answer(&Frame::WindowUpdate { stream: None, delta })?;
        }
        let due = self.streams.get_mut(&stream).filter(|known| !known.ended).and_then(|known| known.untold.add(bytes));
        match due {
            Some(delta) => self.answer(&Frame::WindowUpdate { stream: Some(stream), delta }),
            None => Ok(()),
        }
    }

    /// Says that no more streams are taken.
    pub fn go_away(&mut self) -> Result<(), SpdyError> {
        self.gone = true;
        self.answer(&Frame::GoAway { last: self.last, status: 0 })
    }

    /// Whether the peer or we have gone away, and nothing is open any more.
    pub fn is_over(&self) -> bool {
        self.gone && self.streams.is_empty() && self.answers.is_empty()
    }

    fn answer(&mut self, frame: &Frame) -> Result<(), SpdyError> {
        self.encoder.write(frame, &mut self.answers)
    }

    /// What can be written now, up to about `most` bytes: answers, then data, a turn of each stream. Empty if nothing.
    pub fn transmit(&mut self, most: usize) -> Result<Transmit<StreamId>, SpdyError> {
        let (mut out, mut sent) = (std::mem::take(&mut self.answers), Vec::new());
        while out.len() < most {
            let later = (self.turn.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
            let mut in_turn = self.streams.range(later).chain(&self.streams);
            let Some((&id, _)) = in_turn.find(|(_, stream)| self.can_send(stream)) else { break };
            self.turn = Some(id);
            let most = if self.counts { TURN.min(self.room.left()) } else { TURN };
            let Some(stream) = self.streams.get_mut(&id) else { break };
            let bytes = stream.piece(if self.counts { most.min(stream.room.left()) } else { most });
            stream.room.take(bytes.len());
            self.room.take(bytes.len());
            let fin = stream.ours == Ours::Finishing && stream.queue.is_empty();
            if fin && stream.ended {
                self.streams.remove(&id);
            } else if fin {
                stream.ours = Ours::Finished;
            }
            sent.push((id, bytes.len()));
            self.encoder.write(&Frame::Data { stream: id, bytes, fin }, &mut out)?;
        }
        Ok(Transmit { bytes: out.into(), sent })
    }

    /// Whether [`Connection::transmit`] has something.
    pub fn has_output(&self) -> bool {
        !self.answers.is_empty() || self.streams.values().any(|stream| self.can_send(stream))
    }

    fn can_send(&self, stream: &Stream) -> bool {
        let open = !self.counts || (self.room.left() > 0 && stream.room.left() > 0);
        (stream.ours == Ours::Finishing && stream.queue.is_empty()) || (!stream.queue.is_empty() && open)
    }
}

impl Stream {
    /// Takes up to `most` bytes off the queue.
    fn piece(&mut self, most: usize) -> Bytes {
        let Some(first) = self.queue.front_mut() else { return Bytes::new() };
        if first.len() > most {
            return first.split_to(most);
        }
        self.queue.pop_front().unwrap_or_default()
    }
}
