//! Gateway: notebooks, Spark UI, one door.
//!
//! One listener for all notebooks: `/notebooks/NAMESPACE/NAME/…` goes to the notebook's Jupyter, which asks for its
//! token itself; `/notebooks/NAMESPACE/NAME/spark:PORT/…` goes to the door of its Spark UI for browsers that have shown
//! the token. `/yard` is the read-only page of the whole yard. [`kernel`] is the other side: running a file in a notebook's own kernel.

mod access;
pub mod config;
pub mod error;
mod follow;
mod host;
pub mod kernel;
pub mod overview;
mod page;
mod proxy;
pub mod routes;
mod serve;

pub use config::GatewayConfig;
pub use error::{CODES, GatewayError};
pub use serve::serve;
