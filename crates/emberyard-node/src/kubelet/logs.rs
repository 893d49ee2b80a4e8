//! `/containerLogs`: a container's output, now and as it comes.

use super::cri_log::{Printer, Wanted, tail_start};
use super::registry::PodView;
use super::route::{is_on, value};
use super::server::{Body, text, with};
use crate::agent::log_file;
use bytes::Bytes;
use emberyard_model::Timestamp;
use futures::StreamExt;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(50);
const CHUNK: usize = 64 << 10;

/// Answers with the log of the current run, or of the one before.
pub(super) fn answer(pod: PodView, container: &str, query: &[(String, String)], now: Timestamp) -> Response<Body> {
    let Some(status) = pod.status_of(container) else {
        return text(StatusCode::BAD_REQUEST, &format!("container {container} is not valid for pod"));
    };
    let wanted = match wanted(query, now) {
        Ok(wanted) => wanted,
        Err(message) => return text(StatusCode::BAD_REQUEST, &message),
    };
    let count = status["restartCount"].as_u64().unwrap_or_default() as u32;
    let attempt = if is_on(query, "previous") {
        match count.checked_sub(1) {
            Some(before) => before,
            None => {
                let message = format!("previous terminated container \"{container}\" in pod not found");
                return text(StatusCode::BAD_REQUEST, &message);
            }
        }
    } else {
        // A container that waits for its next run shows the last one.
        let begun = |a: &u32| log_file(&pod.dir, container, *a).exists();
        match (0..=count).rev().find(begun) {
            Some(attempt) => attempt,
            None => {
                let waiting = &status["state"]["waiting"];
                let reason = waiting["reason"].as_str().unwrap_or("ContainerCreating");
                let message = format!("container \"{container}\" in pod is waiting to start: {reason}");
                return text(StatusCode::BAD_REQUEST, &message);
            }
        }
    };
    let path = log_file(&pod.dir, container, attempt);
    let (sender, receiver) = mpsc::channel(8);
    let name = container.to_owned();
    tokio::task::spawn_blocking(move || pump(&pod, &name, attempt, &path, wanted, &sender));
    let stream = tokio_stream(receiver).map(|bytes| Ok(Frame::data(bytes)));
    with(StatusCode::OK, "text/plain", BodyExt::boxed(StreamBody::new(stream)))
}

fn tokio_stream(receiver: mpsc::Receiver<Bytes>) -> impl futures::Stream<Item = Bytes> {
    futures::stream::unfold(receiver, async |mut r| r.recv().await.map(|bytes| (bytes, r)))
}

fn wanted(query: &[(String, String)], now: Timestamp) -> Result<Wanted, String> {
    let number = |name: &str| match value(query, name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| format!("{name} must be a number")),
    };
    let seconds = number("sinceSeconds")?.map(|s| Timestamp(now.0 - i64::try_from(s).unwrap_or(0) * 1_000_000));
    let time = match value(query, "sinceTime") {
        None => None,
        Some(text) => Some(Timestamp::parse(text).map_err(|e| e.to_string())?),
    };
    Ok(Wanted {
        since: seconds.or(time),
        tail: number("tailLines")?.map(|n| n as usize),
        timestamps: is_on(query, "timestamps"),
        limit: number("limitBytes")?.map(|n| n as usize),
        follow: is_on(query, "follow"),
    })
}

/// Sends the log, then what comes, until the run has ended or the reader has gone.
fn pump(pod: &PodView, container: &str, attempt: u32, path: &PathBuf, wanted: Wanted, sender: &mpsc::Sender<Bytes>) {
    let rotated = PathBuf::from(format!("{}.1", path.display()));
    let Ok(mut file) = std::fs::File::open(path) else { return };
    let mut log = std::fs::read(rotated).unwrap_or_default();
    if file.read_to_end(&mut log).is_err() {
        return;
    }
    let (follow, start) = (wanted.follow, wanted.tail.map_or(0, |n| tail_start(&log, n)));
    let mut printer = Printer::new(wanted);
    let give = |printer: &mut Printer, bytes: &[u8]| {
        bytes.chunks(CHUNK).all(|chunk| {
            let out = printer.take(chunk);
            out.is_empty() || sender.blocking_send(out.into()).is_ok()
        }) && !printer.is_full()
    };
    if !give(&mut printer, &log[start..]) || !follow {
        return;
    }
    drop(log);
    let mut more = Vec::new();
    loop {
        // Asked before reading: what was written before the end is then surely read.
        let over = ended(pod, container, attempt);
        more.clear();
        if file.read_to_end(&mut more).is_err() {
            return;
        }
        if !give(&mut printer, &more) {
            return;
        }
        if more.is_empty() {
            let grown = |f: &std::fs::File| f.metadata().map_or(0, |m| m.len());
            let here = file.stream_position().unwrap_or_default();
            // Rotated or cut: the name leads to a new, shorter file.
            match std::fs::File::open(path) {
                Ok(fresh) if grown(&fresh) < here && !same_file(&fresh, &file) => {
                    file = fresh;
                    continue;
                }
                Ok(_) if grown(&file) < here => _ = file.seek(SeekFrom::Start(0)),
                _ => {}
            }
            if over || sender.is_closed() {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn same_file(a: &std::fs::File, b: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    matches!((a.metadata(), b.metadata()), (Ok(a), Ok(b)) if a.ino() == b.ino() && a.dev() == b.dev())
}

/// Whether the run is over, by the supervisor's own word.
fn ended(pod: &PodView, container: &str, attempt: u32) -> bool {
    let Some(states) = pod.sandbox.as_ref().and_then(|s| s.list().ok()) else { return true };
    !states.iter().any(|s| s.name == container && s.attempt == attempt && s.ended.is_none())
}
