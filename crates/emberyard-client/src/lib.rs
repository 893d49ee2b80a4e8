//! Thin wrapper of kube: the only crate that names a Kubernetes client library.
//!
//! Objects travel as [`serde_json::Value`]: the callers read them through narrow views of their own,
//! and what is not understood is carried along unharmed. Three files, three ideas: [`Client`] asks,
//! [`Client::watch`] follows, [`ApiError`] says why not.

mod client;
mod error;
mod request;
mod watch;

pub use client::Client;
pub use error::{ApiError, CODES, ClientError};
pub use request::{ContentKind, Query, path};
pub use watch::{WatchEvent, Watching};
