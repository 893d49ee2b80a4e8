//! Runs a file in a notebook's own kernel, as its user would: by Jupyter's REST and kernel WebSocket API.

mod channel;
mod document;
mod error;
mod jupyter;
mod run;

pub use document::Document;
pub use error::RunError;
pub use jupyter::Jupyter;
pub use run::{Event, Kernel, RunOptions, run};

#[cfg(test)]
mod tests;
