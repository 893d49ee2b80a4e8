//! Notebooks: observe, validate, decide, apply, say.
//!
//! Each step has a file and a type of its own: [`observe::Observed`] -> `emberyard_manifest::Session` ->
//! [`decide::Decision`] -> `apply::Applied` -> status. Only `apply` and the loop do I/O.

mod apply;
pub mod decide;
mod follow;
pub mod observe;
mod reap;
pub mod status;

pub use follow::run;
