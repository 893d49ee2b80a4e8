//! Pods: what they are to be, their supervisor, and the agent's side of it.

mod client;
mod client_side;
mod container;
mod exec;
mod inside;
mod log;
mod oom;
mod protocol;
mod spec;
mod start;
mod state;
mod supervisor;

pub use client::{AttachHandle, ExecHandle, PodSandbox, Watch, start_pod};
pub(crate) use exec::launch;
pub(crate) use inside::{Program, Streams, become_program};
pub use protocol::VERSION as PROTOCOL_VERSION;
pub use spec::{ContainerSpec, ExecSpec, IdMap, Limits, MountSource, MountSpec, Owner, PodSandboxSpec, WindowSize};
pub(crate) use start::{POD, supervise};
pub use state::{ContainerState, Ended};
