//! The API server as a pure, synchronous state machine: requests in, answers and journal records out.
//!
//! Ring 1: no async, clock, files, environment or unseeded randomness. Time and entropy are arguments; whoever owns the
//! journal's files makes an answer's records durable before it sends the answer.

mod config;
mod entropy;
pub mod journal;
mod reply;
mod request;
mod server;
mod user;
mod watch;

pub use config::{Config, VersionInfo};
pub use entropy::Entropy;
pub use journal::{Change, Key, Record, Revision};
pub use reply::{Answer, Connect, ConnectKind, Header, Reply, Scheme, Target, TokenToSign, TokenToVerify, WatchStart};
pub use request::{Impersonate, Method, Request};
pub use server::{ApiServer, ClaimsError, RestoreError};
pub use user::User;
pub use watch::{WatchCursor, WatchPoll};
