//! What a pod and its containers are to be: values only.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How ids of the pod appear to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdMap {
    /// Without root: one uid and one gid of the pod, both standing for the yard's owner.
    Single {
        /// The pod's only uid.
        uid: u32,
        /// The pod's only gid.
        gid: u32,
    },
    /// With root: the pod's ids 0..65536 are the machine's `base..base+65536`.
    Range {
        /// First id on the machine.
        base: u32,
    },
}

impl IdMap {
    /// Ids of a [`IdMap::Range`].
    pub const RANGE: u32 = 65_536;
    /// Where the ranges begin: in the part that systemd's uid table leaves unused, 0x7000_0000 to 0x7FFE_0000.
    pub const FIRST_BASE: u32 = 0x7000_0000;
    /// How many ranges there are.
    pub const SLOTS: u16 = 0x0FFE;

    /// The range number `slot`, counted modulo [`Self::SLOTS`]; ranges of different slots do not overlap.
    pub const fn range(slot: u16) -> Self {
        Self::Range { base: Self::FIRST_BASE + (slot % Self::SLOTS) as u32 * Self::RANGE }
    }
}

/// A pod to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSandboxSpec {
    /// The pod's folder; the supervisor keeps its socket and exit codes here. Must exist.
    pub dir: PathBuf,
    /// Name of the pod's control group below the node's, for example its uid.
    pub name: String,
    /// Host name inside.
    pub hostname: String,
    /// Sysctls of the pod's network and IPC namespaces, with dots: `net.ipv4.ip_local_port_range`.
    pub sysctls: Vec<(String, String)>,
    /// Uses the node's network namespace instead of one of its own.
    pub host_network: bool,
    /// Ids inside and outside.
    pub ids: IdMap,
    /// Limits of the pod as a whole.
    pub limits: Limits,
}

/// Limits by control groups where there are any; `pids` otherwise by `RLIMIT_NPROC` in the pod's user namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, bytes.
    pub memory: Option<u64>,
    /// CPU time, thousandths of a core.
    pub cpu_milli: Option<u64>,
    /// CPU weight when the machine is busy, thousandths of a core (a request).
    pub cpu_request_milli: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// A container to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Name in the pod.
    pub name: String,
    /// Restart count, 0 for the first.
    pub attempt: u32,
    /// Read-only image folders, topmost first.
    pub lowers: Vec<PathBuf>,
    /// Folder of this attempt on a writable disk: holds `upper` and `work`; made if missing.
    pub scratch: PathBuf,
    /// The root file system cannot be written.
    pub read_only_root: bool,
    /// In this order; missing mount points are made.
    pub mounts: Vec<MountSpec>,
    /// Size of `/dev/shm`, bytes; 64 MiB when absent.
    pub shm_size: Option<u64>,
    /// Program and arguments; the program is searched in the container's `PATH` when it has no slash.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Working folder, made if missing.
    pub cwd: PathBuf,
    /// User id inside. With [`IdMap::Single`] the pod's only uid is used instead when this is another one.
    pub uid: u32,
    /// Group id inside, likewise.
    pub gid: u32,
    /// Supplementary groups; only with [`IdMap::Range`].
    pub groups: Vec<u32>,
    /// Standard streams are a terminal.
    pub tty: bool,
    /// Standard input stays open and can be attached to.
    pub stdin: bool,
    /// Standard input ends with the first attached client.
    pub stdin_once: bool,
    /// Log file in CRI form; rotated to `LOG.1` at 10 MiB. Its folder is made if missing.
    pub log: PathBuf,
    /// Limits.
    pub limits: Limits,
    /// Out-of-memory score adjustment, 0..=1000.
    pub oom_score_adj: i32,
    /// No filter of system calls; agents of older versions say nothing of it.
    #[serde(default)]
    pub unconfined: bool,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountSpec {
    /// Absolute path inside.
    pub target: PathBuf,
    /// What is mounted.
    pub source: MountSource,
    /// Cannot be written through this mount.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountSource {
    /// A folder or file of the machine.
    Bind {
        /// Absolute path on the machine; must exist.
        path: PathBuf,
        /// Path below it that is taken instead; symbolic links cannot lead out of `path`. Made as a folder if missing.
        sub_path: Option<PathBuf>,
        /// Whose files they are.
        owner: Owner,
    },
    /// Memory.
    Tmpfs {
        /// Bytes; half of the machine's memory when absent.
        size: Option<u64>,
        /// Permission bits of its root.
        mode: u32,
    },
}

/// Whose files a bind mount shows. Without root there is no difference: everything belongs to the yard's owner, who is the pod's user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// Ids on disk are the pod's ids: root on disk is root in the pod.
    Pod,
    /// Whoever owns the folder on disk is the container's user inside; new files get that owner on disk.
    Folder,
    /// Shown as the machine has them.
    Machine,
}

/// A command to run in a container that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// Name of the container.
    pub container: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to the container's environment.
    pub env: Vec<(String, String)>,
    /// A terminal of this size instead of pipes.
    pub tty: Option<WindowSize>,
    /// Whether standard input is wanted.
    pub stdin: bool,
}

/// Size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSize {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}
