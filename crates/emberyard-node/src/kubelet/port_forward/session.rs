//! All of a client's connections: what its framing says is carried out, and what comes of it is told in its framing.

use super::Target;
use super::pipe::{CREDIT, Down, Pipe, Up};
use super::wire::Wire;
use emberyard_pod::port_forward::{self as framing, End, Event, ForwardId, SessionError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long a client has for the last words.
const LAST: Duration = Duration::from_secs(2);

struct Open {
    down: UnboundedSender<Down>,
    credit: Arc<Semaphore>,
    /// Bytes of the client that the pod has not taken yet.
    waiting: usize,
    _task: AbortOnDropHandle<()>,
}

pub(super) struct Session<S> {
    framing: S,
    target: Target,
    open: BTreeMap<ForwardId, Open>,
    /// For pipes. What they say is bounded: data by their credit, the rest by what they were given.
    up: UnboundedSender<(ForwardId, Up)>,
    news: UnboundedReceiver<(ForwardId, Up)>,
}

impl<S: framing::Session> Session<S> {
    pub(super) fn new(framing: S, target: Target) -> Self {
        let (up, news) = unbounded_channel();
        Self { framing, target, open: BTreeMap::new(), up, news }
    }

    /// Goes on until the client leaves, has nothing more to come, or the pod is gone.
    pub(super) async fn run(mut self, mut wire: Wire, begin: Vec<Event>) -> Result<(), SessionError> {
        let ended = self.serve(&mut wire, begin).await;
        let _ = timeout(LAST, self.flush(&mut wire)).await;
        drop(self);
        wire.close().await;
        ended
    }

    async fn serve(&mut self, wire: &mut Wire, begin: Vec<Event>) -> Result<(), SessionError> {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.carry_out(begin)?;
        while !self.framing.is_over() {
            tokio::select! {
                said = wire.incoming.recv(), if self.framing.may_receive() => match said {
                    Some(bytes) => {
                        let events = self.framing.receive(bytes)?;
                        self.carry_out(events)?;
                    }
                    None => return Ok(()),
                },
                place = wire.outgoing.reserve(), if self.framing.has_output() => match place {
                    Ok(place) => place.send(self.next_message()?),
                    Err(_) => return Ok(()),
                },
                Some((forward, news)) = self.news.recv() => self.hear(forward, news)?,
                _ = seconds.tick() => {
                    self.framing.tick()?;
                    if !self.target.is_there() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The last words: every connection ends, and the client hears that there will be no more.
    async fn flush(&mut self, wire: &mut Wire) -> Result<(), SessionError> {
        let open: Vec<ForwardId> = self.open.keys().copied().collect();
        for forward in open {
            self.end(forward, End::Done)?;
        }
        self.framing.go_away()?;
        while self.framing.has_output() {
            let message = self.next_message()?;
            if wire.outgoing.send(message).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn next_message(&mut self) -> Result<bytes::Bytes, SessionError> {
        let next = self.framing.transmit()?;
        for (forward, length) in next.sent {
            if let Some(open) = self.open.get(&forward) {
                open.credit.add_permits(length);
            }
        }
        Ok(next.bytes)
    }

    fn carry_out(&mut self, events: Vec<Event>) -> Result<(), SessionError> {
        for event in events {
            match event {
                Event::Dial { forward, port } => {
                    let ((down, waiting), credit) = (unbounded_channel(), Arc::new(Semaphore::new(CREDIT)));
                    let (up, half_close) = (self.up.clone(), S::HALF_CLOSE);
                    let pipe = Pipe { forward, port, down: waiting, up, credit: credit.clone(), half_close };
                    let task = AbortOnDropHandle::new(tokio::spawn(pipe.run(self.target.clone())));
                    self.open.insert(forward, Open { down, credit, waiting: 0, _task: task });
                }
                Event::Data { forward, bytes } => match self.open.get_mut(&forward) {
                    Some(open) => {
                        open.waiting += bytes.len();
                        let _ = open.down.send(Down::Data(bytes));
                    }
                    None => self.framing.consumed(forward, bytes.len())?,
                },
                Event::Ended { forward } => {
                    if let Some(open) = self.open.get(&forward) {
                        let _ = open.down.send(Down::Ended);
                    }
                }
                Event::Abandoned { forward } => self.end(forward, End::Done)?,
            }
        }
        Ok(())
    }

    fn hear(&mut self, forward: ForwardId, news: Up) -> Result<(), SessionError> {
        // What is over may still have said something before.
        let Some(open) = self.open.get_mut(&forward) else { return Ok(()) };
        match news {
            Up::Data(bytes) => self.framing.send(forward, bytes),
            Up::Ended => self.framing.finish(forward),
            Up::Consumed(length) => {
                open.waiting = open.waiting.saturating_sub(length);
                self.framing.consumed(forward, length)?;
            }
            Up::Closed(end) => self.end(forward, end)?,
        }
        Ok(())
    }

    /// Ends a connection. What its pod did not take counts as taken, or the client could never say more.
    fn end(&mut self, forward: ForwardId, end: End) -> Result<(), SessionError> {
        if let Some(open) = self.open.remove(&forward) {
            self.framing.consumed(forward, open.waiting)?;
            self.framing.close(forward, end)?;
        }
        Ok(())
    }
}
