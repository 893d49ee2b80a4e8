//! Serves the embedded Kubernetes API: TLS, HTTP/1.1, HTTP/2 and WebSocket in front of the pure state machine of
//! `emberyard-cluster`, whose records it keeps in a journal on disk, and beside it the controllers of
//! `emberyard-control`, which go through the same request path under identities of their own.

mod config;
mod control;
mod engine;
mod error;
mod http;
pub mod journal;
pub mod kubeconfig;
pub mod pki;
mod serve;
mod token;

pub use config::{Clock, EntropySource, JournalLimit, ServeConfig};
pub use error::{CODES, ServeError};
pub use serve::serve;
pub use token::{ISSUER, TokenError};
