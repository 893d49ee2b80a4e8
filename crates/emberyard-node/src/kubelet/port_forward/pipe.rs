//! One connection between a client's stream and a port of the pod. Bytes that wait are counted both ways: of the client's
//! the session does, of the pod's the credit here.

use super::Target;
use super::dial::dial;
use bytes::Bytes;
use emberyard_pod::port_forward::{End, ForwardId, Port};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Read from the pod at a time.
const CHUNK: u16 = 32 << 10;
/// Bytes of the pod that the client has not been sent yet, before no more are read.
pub(super) const CREDIT: usize = 8 * CHUNK as usize;

/// What goes to the pod.
pub(super) enum Down {
    Data(Bytes),
    Ended,
}

/// What comes of it.
pub(super) enum Up {
    /// Bytes of the pod.
    Data(Bytes),
    /// The pod will send no more.
    Ended,
    /// The pod has taken as many bytes.
    Consumed(usize),
    /// All is over.
    Closed(End),
}

/// A connection's own ends.
pub(super) struct Pipe {
    pub forward: ForwardId,
    pub port: Port,
    pub down: UnboundedReceiver<Down>,
    pub up: UnboundedSender<(ForwardId, Up)>,
    pub credit: Arc<Semaphore>,
    /// Whether the client can hear that the pod will send no more, and go on.
    pub half_close: bool,
}

impl Pipe {
    /// Connects and copies both ways until both have said all.
    pub(super) async fn run(self, target: Target) {
        let end = match dial(&target.sandbox, &target.uid, self.port).await {
            Ok(stream) => {
                let (read, write) = stream.into_split();
                let Self { forward, down, up, credit, half_close, .. } = self;
                let end = copy(read, write, forward, down, &up, &credit, half_close).await;
                return drop(up.send((forward, Up::Closed(end))));
            }
            Err(why) => {
                let Target { name, uid, .. } = &target;
                End::Failed(format!("error forwarding port {} to pod {name}, uid {uid}: {why}", self.port))
            }
        };
        let _ = self.up.send((self.forward, Up::Closed(end)));
    }
}

async fn copy(
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    forward: ForwardId,
    down: UnboundedReceiver<Down>,
    up: &UnboundedSender<(ForwardId, Up)>,
    credit: &Semaphore,
    half_close: bool,
) -> End {
    let to_pod = to_pod(write, forward, down, up);
    let from_pod = from_pod(read, forward, up, credit);
    tokio::pin!(to_pod, from_pod);
    let mut taken = None;
    loop {
        tokio::select! {
            result = &mut to_pod, if taken.is_none() => taken = Some(result),
            result = &mut from_pod => {
                if result.is_err() {
                    return End::Cut;
                }
                break;
            }
        }
    }
    let _ = up.send((forward, Up::Ended));
    // A pod that listens no more has said all.
    if half_close && taken.is_none() {
        let _ = to_pod.await;
    }
    End::Done
}

/// Writes until the client has said all. What a pod refuses is thrown away, so that its own last words still arrive.
async fn to_pod(
    mut write: OwnedWriteHalf,
    forward: ForwardId,
    mut down: UnboundedReceiver<Down>,
    up: &UnboundedSender<(ForwardId, Up)>,
) -> io::Result<()> {
    let mut written = Ok(());
    while let Some(Down::Data(bytes)) = down.recv().await {
        if written.is_ok() {
            written = write.write_all(&bytes).await;
        }
        let _ = up.send((forward, Up::Consumed(bytes.len())));
    }
    written?;
    write.shutdown().await
}

async fn from_pod(
    mut read: OwnedReadHalf,
    forward: ForwardId,
    up: &UnboundedSender<(ForwardId, Up)>,
    credit: &Semaphore,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK.into()];
    loop {
        let Ok(permit) = credit.acquire_many(CHUNK.into()).await else { return Ok(()) };
        permit.forget();
        let length = read.read(&mut buffer).await?;
        credit.add_permits(usize::from(CHUNK).saturating_sub(length));
        // A copy of its own, so that a byte that waits does not hold a whole buffer.
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        if bytes.is_empty() || up.send((forward, Up::Data(bytes))).is_err() {
            return Ok(());
        }
    }
}
