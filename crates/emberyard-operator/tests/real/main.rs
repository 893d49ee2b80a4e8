//! The operator and the gateway against the real API server with its scheduler and controllers. Only nodes are played:
//! they say that they are ready, and that their pods run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod fleet;
mod kubelet;
mod notebook;
mod removal;
mod world;
