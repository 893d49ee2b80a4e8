//! The gateway: one door on the machine for all notebooks and their Spark UIs, and the client of Jupyter kernels.
//!
//! It knows notebooks by watching the API and passes requests on to their pods; who may enter is Jupyter's own token.

pub mod error;
pub mod gateway;
mod guard;
pub mod kernel;
mod pass;
mod routes;

pub use error::{CODES, FrontError};
pub use gateway::{Gateway, serve};
