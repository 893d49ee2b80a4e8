//! List, then watch, then resume: a stream that never ends.
//!
//! A state and a step: [`Watching`] is what is known, `step` does one request or reads one line.

use crate::client::Client;
use crate::error::ApiError;
use crate::request::owned;
use bytes::{Buf, BytesMut};
use emberyard_model::with_causes;
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream::BoxStream};
use http::Method;
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A page of a list.
const PAGE: &str = "500";
/// The server ends a watch after this; a fresh one resumes. Real API servers draw 5 to 10 minutes themselves.
const WATCH_SECONDS: u64 = 290;
/// Patience beyond [`WATCH_SECONDS`] before a silent connection counts as dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 30);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchEvent {
    /// A new object.
    Added(Value),
    /// A changed object, also one that now matches the selector again.
    Modified(Value),
    /// An object that is gone or no longer matches; its last state.
    Deleted(Value),
    /// Nothing new up to this resource version.
    Bookmark(String),
    /// Everything there is now; what is not in it is gone.
    Restarted(Vec<Value>),
}

enum State {
    /// Everything must be listed (again).
    Listing,
    /// Known up to this revision; no connection.
    Idle(String),
    /// Connected.
    Open { revision: String, lines: BoxStream<'static, Result<Vec<u8>, String>> },
}

struct Follow {
    client: Client,
    path: String,
    query: Vec<(String, String)>,
    state: State,
    delay: Duration,
}

/// The stream behind [`Client::watch`].
pub struct Watching {
    step: BoxFuture<'static, (Follow, VecDeque<WatchEvent>)>,
    ready: VecDeque<WatchEvent>,
}

impl Watching {
    pub(crate) fn start(client: Client, path: String, query: Vec<(String, String)>) -> Self {
        let follow = Follow { client, path, query, state: State::Listing, delay: FIRST_DELAY };
        Self { step: follow.step().boxed(), ready: VecDeque::new() }
    }
}

impl Stream for Watching {
    type Item = WatchEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<WatchEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Poll::Ready((follow, events)) = self.step.poll_unpin(context) else { return Poll::Pending };
            self.ready = events;
            self.step = follow.step().boxed();
        }
    }
}

impl Follow {
    async fn step(mut self) -> (Self, VecDeque<WatchEvent>) {
        let mut events = VecDeque::new();
        let state = std::mem::replace(&mut self.state, State::Listing);
        self.state = match state {
            State::Listing => match list(&self.client, &self.path, &self.query).await {
                Ok((items, revision)) => {
                    self.delay = FIRST_DELAY;
                    events.push_back(WatchEvent::Restarted(items));
                    State::Idle(revision)
                }
                Err(error) => {
                    self.pause("list", &error.message).await;
                    State::Listing
                }
            },
            State::Idle(revision) => match self.open(&revision).await {
                Ok(lines) => State::Open { revision, lines },
                Err(error) if error.is_gone() => State::Listing,
                Err(error) => {
                    self.pause("watch", &error.message).await;
                    State::Idle(revision)
                }
            },
            State::Open { revision, mut lines } => match tokio::time::timeout(SILENCE, lines.next()).await {
                Ok(Some(Ok(line))) => self.take(&line, revision, lines, &mut events).await,
                Ok(Some(Err(error))) => {
                    self.pause("watch", &error).await;
                    State::Idle(revision)
                }
                // A quick clean end, again and again, must not become a busy loop.
                Ok(None) => {
                    tokio::time::sleep(FIRST_DELAY).await;
                    State::Idle(revision)
                }
                Err(_silence) => State::Idle(revision),
            },
        };
        (self, events)
    }

    async fn open(&mut self, revision: &str) -> Result<BoxStream<'static, Result<Vec<u8>, String>>, ApiError> {
        let mut query = self.query.clone();
        query.extend(owned(&[
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", revision),
            ("timeoutSeconds", &WATCH_SECONDS.to_string()),
        ]));
        let response = self.client.open(Method::GET, &self.path, &query, None).await?;
        let chunks = response.into_body().into_data_stream();
        let lines = futures::stream::unfold((chunks, BytesMut::new()), |(mut chunks, mut rest)| async move {
            loop {
                if let Some(end) = rest.iter().position(|b| *b == b'\n') {
                    let line = rest.split_to(end).to_vec();
                    rest.advance(1);
                    return Some((Ok(line), (chunks, rest)));
                }
                match chunks.next().await? {
                    Ok(chunk) => rest.extend_from_slice(&chunk),
                    Err(error) => return Some((Err(with_causes(&error)), (chunks, rest))),
                }
            }
        });
        Ok(lines.boxed())
    }

    async fn take(
        &mut self,
        line: &[u8],
        revision: String,
        lines: BoxStream<'static, Result<Vec<u8>, String>>,
        events: &mut VecDeque<WatchEvent>,
    ) -> State {
        match read(line) {
            Ok(Frame::Event(event, newer)) => {
                self.delay = FIRST_DELAY;
                events.push_back(event);
                State::Open { revision: newer.unwrap_or(revision), lines }
            }
            Ok(Frame::Ended { gone: true, .. }) => State::Listing,
            Ok(Frame::Ended { gone: false, message }) | Err(message) => {
                self.pause("watch", &message).await;
                State::Idle(revision)
            }
        }
    }

    async fn pause(&mut self, what: &str, why: &str) {
        tracing::debug!(path = %self.path, delay_ms = self.delay.as_millis(), "{what} failed, trying again: {why}");
        tokio::time::sleep(self.delay).await;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
    }
}

enum Frame {
    Event(WatchEvent, Option<String>),
    Ended { gone: bool, message: String },
}

/// One line of a watch.
fn read(line: &[u8]) -> Result<Frame, String> {
    let mut frame: Value = serde_json::from_slice(line).map_err(|e| format!("a watch line is no JSON: {e}"))?;
    let object = frame["object"].take();
    let revision = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    Ok(match frame["type"].as_str() {
        Some("ADDED") => Frame::Event(WatchEvent::Added(object), revision),
        Some("MODIFIED") => Frame::Event(WatchEvent::Modified(object), revision),
        Some("DELETED") => Frame::Event(WatchEvent::Deleted(object), revision),
        Some("BOOKMARK") => Frame::Event(WatchEvent::Bookmark(revision.clone().unwrap_or_default()), revision),
        Some("ERROR") => Frame::Ended {
            gone: object["code"] == 410,
            message: object["message"].as_str().unwrap_or("the watch was ended by the server").to_owned(),
        },
        other => return Err(format!("unknown watch event {other:?}")),
    })
}

/// All pages of a collection.
pub(crate) async fn list(
    client: &Client,
    path: &str,
    query: &[(String, String)],
) -> Result<(Vec<Value>, String), ApiError> {
    let mut items = Vec::new();
    let mut revision = String::new();
    let mut next = String::new();
    loop {
        let mut page_query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        page_query.push(("limit", PAGE));
        if !next.is_empty() {
            page_query.push(("continue", &next));
        }
        let mut page = client.get(path, &page_query).await?;
        if revision.is_empty() {
            page["metadata"]["resourceVersion"].as_str().unwrap_or_default().clone_into(&mut revision);
        }
        let kind = page["kind"].as_str().and_then(|k| k.strip_suffix("List")).unwrap_or_default().to_owned();
        let api_version = page["apiVersion"].clone();
        let Value::Array(found) = page["items"].take() else {
            return Err(ApiError::unreachable(format!("the answer of {path} is no list")));
        };
        items.extend(found.into_iter().map(|item| with_kind(item, &api_version, &kind)));
        match page["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => token.clone_into(&mut next),
            _ => return Ok((items, revision)),
        }
    }
}

fn with_kind(mut item: Value, api_version: &Value, kind: &str) -> Value {
    if let Some(fields) = item.as_object_mut()
        && !fields.contains_key("kind")
    {
        fields.insert("kind".to_owned(), Value::from(kind));
        fields.insert("apiVersion".to_owned(), api_version.clone());
    }
    item
}
