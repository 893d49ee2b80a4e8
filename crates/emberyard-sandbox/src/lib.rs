//! Holders, supervisors, namespaces, control groups. Synchronous; each role is a single-threaded process made by executing
//! this program again (`/proc/self/exe`), so that namespaces can be joined. The only crate with `unsafe`, in one file.

mod cgroup;
mod error;
mod failure;
mod holder;
mod holder_role;
mod memory;
mod namespace;
mod place;
mod place_role;
mod pod;
mod probe;
mod probe_role;
mod process;
pub mod processes;
mod record;
mod role;
mod rootfs;
mod run;
mod run_role;
mod seccomp;
mod sweep;
mod sys;
mod usage;
mod wire;

pub use error::{CODES, Result, SandboxError};
pub use holder::{Mode, NodeHolder, YardHolder, create_node, create_yard};
pub use memory::Memory;
pub use place::{Child, Command, Place, SocketSpec, netns_of, open_in, spawn_in};
pub use pod::{
    AttachHandle, ContainerSpec, ContainerState, Ended, ExecHandle, ExecSpec, IdMap, Limits, MountSource, MountSpec,
    Owner, PROTOCOL_VERSION, PodSandbox, PodSandboxSpec, Watch, WindowSize, start_pod,
};
pub use probe::{Offer, Probe, probe};
pub use process::ProcessId;
pub use record::FORMAT as RECORD_FORMAT;
pub use run::{ExitStatus, Root, RunSpec, Running, run_in_root, start_in_root};
pub use run_role::machine_certificates;
pub use sweep::{YARD_MARK, find, remove_tree, sweep};
pub use sys::close_others_on_exec;

pub use usage::Usage;

use std::ffi::OsString;
use std::process::ExitCode;

/// Plays a hidden role (`sandbox-…`) if the arguments, program name first, ask for one. To be called first thing in `main`,
/// before any thread is started and any argument is read.
pub fn dispatch(args: &[OsString]) -> Option<ExitCode> {
    let played = match args.get(1)?.to_str()? {
        holder_role::YARD => holder_role::yard(),
        holder_role::NODE => holder_role::node(),
        place_role::SPAWN => place_role::spawn(),
        place_role::OPEN => place_role::open(),
        probe_role::PROBE => probe_role::probe(),
        run_role::RUN => run_role::run(),
        pod::POD => pod::supervise(),
        _ => return None,
    };
    // A role tells its parent what failed; only when even that failed is there anything left to say.
    Some(match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}
