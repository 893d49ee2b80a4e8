//! Serves the embedded Kubernetes API: TLS, HTTP/1.1, HTTP/2 and WebSocket in front of the pure state machine of
//! `emberyard-cluster`, whose records it keeps in a journal on disk, and beside it the controllers of
//! `emberyard-control`, which go through the same request path under identities of their own.

pub mod journal;
pub mod kubeconfig;
pub mod pki;
pub mod token;
