//! Where nodes come from: the Provider seam and its providers.
//!
//! [`local`] asks the keeper of this machine for nodes; [`memory`] pretends, for tests and simulation.

pub mod error;
pub mod local;
pub mod memory;
pub mod provider;

pub use error::{CODES, ProviderError};
pub use local::{Launcher, Local};
pub use memory::Memory;
pub use provider::{Answer, NodeClaim, NodeRequest, NodeState, Provider};
