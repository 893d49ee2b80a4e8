//! Pods: what they are to be, their supervisor, and the agent's side of it.

mod client;
mod spec;
mod state;

pub use client::{AttachHandle, ExecHandle, PodSandbox, Watch, start_pod};
pub use spec::{ContainerSpec, ExecSpec, IdMap, Limits, MountSource, MountSpec, Owner, PodSandboxSpec, WindowSize};
pub use state::{ContainerState, Ended};
