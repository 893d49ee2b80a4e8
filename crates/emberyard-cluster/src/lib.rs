//! The API server as a pure, synchronous state machine: requests in, answers and journal records out.
//!
//! Ring 1: no async, clock, files, environment or unseeded randomness. Time and entropy are arguments; whoever owns the
//! journal's files makes an answer's records durable before it sends the answer.

mod admission;
mod authz;
mod body;
mod bootstrap;
mod call;
mod config;
mod crd;
mod entropy;
mod error;
mod expiry;
mod failure;
pub mod journal;
mod negotiate;
mod pages;
mod path;
mod present;
mod query;
mod reply;
mod request;
mod reviews;
mod server;
mod store;
mod sub;
mod tokens;
mod user;
mod watch;

pub use config::{Config, VersionInfo};
pub use emberyard_object::Method;
pub use entropy::Entropy;
pub use error::{CODES, ClaimsError, RestoreError};
pub use journal::{Change, Key, Record, Revision};
pub use reply::{Answer, Connect, ConnectKind, Header, Reply, Scheme, Target, TokenToSign, TokenToVerify, WatchStart};
pub use request::{Impersonate, Request};
pub use server::ApiServer;
pub use user::User;
pub use watch::{WatchCursor, WatchPoll};
