//! A watch as a stream: pulled by the client's reading, woken by what becomes durable.

use super::body::{self, Body};
use super::service::Gate;
use crate::engine::{Engine, WatchSeat};
use bytes::Bytes;
use emberyard_cluster::{WatchCursor, WatchStart};
use emberyard_model::Timestamp;
use http::Response;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// A watch whose client names no `timeoutSeconds` ends after half of this to all of it, so that those that began together
/// do not come back together; clients then go on where it ended.
const LONGEST: Duration = Duration::from_hours(1);

/// One live watch.
pub struct Live {
    engine: Arc<Engine>,
    cursor: WatchCursor,
    seat: WatchSeat,
    deadline: Instant,
    shutdown: CancellationToken,
    /// `Content-Type` of the stream.
    pub content_type: String,
    frames: VecDeque<Bytes>,
    finished: bool,
}

enum Wake {
    Changed,
    Due,
    End,
}

impl Live {
    /// The watch that the state machine accepted for this path.
    pub fn new(gate: &Gate, path: &str, start: WatchStart) -> Self {
        Self {
            seat: gate.engine.seat(resource(path), &start.cursor),
            engine: Arc::clone(&gate.engine),
            cursor: start.cursor,
            deadline: Instant::now() + start.timeout.unwrap_or_else(|| unasked(gate.engine.random())).min(LONGEST),
            shutdown: gate.shutdown.clone(),
            content_type: start.content_type,
            frames: VecDeque::new(),
            finished: false,
        }
    }

    /// The next event, a JSON text that ends in a newline; `None` at the end. Nothing is taken from the history before
    /// the client has room for it, so a slow client holds what it was told it has, and no more.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            if self.finished {
                return None;
            }
            self.seat.note(self.cursor.sent());
            let now = self.engine.now();
            let poll = self.engine.poll(&mut self.cursor, now);
            self.finished = poll.finished;
            let idle = poll.frames.is_empty() && !poll.more && !poll.finished;
            self.frames.extend(poll.frames);
            if idle && let Wake::End = self.wait(poll.wake.map(|due| due.since(now))).await {
                self.last_bookmark(poll.wake);
            }
        }
    }

    async fn wait(&mut self, due: Option<Duration>) -> Wake {
        tokio::select! {
            () = self.seat.changed() => Wake::Changed,
            () = sleep(due.unwrap_or(LONGEST)) => Wake::Due,
            () = sleep_until(self.deadline) => Wake::End,
            () = self.shutdown.cancelled() => Wake::End,
        }
    }

    /// Before an end by time, who takes bookmarks gets one, to come back with: the one that would be due next.
    fn last_bookmark(&mut self, due: Option<Timestamp>) {
        if let Some(due) = due {
            self.frames.extend(self.engine.poll(&mut self.cursor, due).frames);
        }
        self.finished = true;
    }
}

/// How long a watch lasts whose client did not say.
fn unasked(random: u64) -> Duration {
    let half = LONGEST / 2;
    half + Duration::from_secs(random % half.as_secs())
}

/// The watch as newline-delimited JSON, one chunk an event.
pub fn start(live: Live) -> Response<Body> {
    let content_type = live.content_type.clone();
    let frames = futures::stream::unfold(live, |mut live| async move {
        let frame = live.next().await?;
        Some((Ok::<_, Infallible>(frame), live))
    });
    body::response(200, &content_type, body::stream(frames))
}

/// The resource a watch path names: `/api/v1/[namespaces/NS/]RESOURCE[/NAME]`, `/apis/GROUP/VERSION/…`, with the old
/// `watch` step or without.
pub fn resource(path: &str) -> &str {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (["api", _, rest @ ..] | ["apis", _, _, rest @ ..]) = parts.as_slice() else { return "" };
    match rest.strip_prefix(&["watch"]).unwrap_or(rest) {
        ["namespaces", _, resource, ..] => resource,
        [resource, ..] => resource,
        [] => "",
    }
}

#[cfg(test)]
mod tests {
    use super::resource;

    #[test]
    fn names_the_resource() {
        for (path, named) in [
            ("/api/v1/pods", "pods"),
            ("/api/v1/namespaces/default/pods", "pods"),
            ("/api/v1/namespaces", "namespaces"),
            ("/api/v1/namespaces/default", "namespaces"),
            ("/apis/apps/v1/namespaces/a/deployments/b", "deployments"),
            ("/apis/apps/v1/watch/deployments", "deployments"),
            ("/healthz", ""),
        ] {
            assert_eq!(resource(path), named, "{path}");
        }
    }
}
