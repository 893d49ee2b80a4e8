//! The last steps of every process that becomes a program of a container: user, rights, streams, exec.

use super::spec::{IdMap, WindowSize};
use super::start::Spaces;
use crate::failure::{Failure, Step, Steps};
use crate::wire::Channel;
use crate::{namespace, seccomp, sys};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Gid, Resource, Rlimit, Uid, getrlimit, setrlimit};
use rustix::termios::{Winsize, tcsetwinsize};
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::ffi::CString;
use std::path::Path;

/// What root of a pod may do inside its own user namespace: what package managers and servers need.
const RIGHTS: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::NET_BIND_SERVICE);
/// Where programs are searched when the environment has no `PATH`.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a process on its way to become a program tells the supervisor. Silence until the end means success.
#[derive(Debug, Serialize, Deserialize)]
pub enum Report {
    /// Its mount namespace comes beside it; and what could not be done as asked.
    Mounted(Vec<String>),
    /// The terminal's other side comes beside it.
    Terminal,
    /// A step failed.
    Failed(Failure),
}

/// The program to become.
pub struct Program<'a> {
    /// Program and arguments.
    pub argv: &'a [String],
    /// The whole environment.
    pub env: &'a [(String, String)],
    /// Working folder.
    pub cwd: &'a Path,
    /// User and group, by the pod's names.
    pub user: (u32, u32),
    /// Supplementary groups.
    pub groups: &'a [u32],
    /// Most processes in the user namespace, where no control group sees to it.
    pub processes: Option<u64>,
    /// Whether the kernel refuses what programs of pods have no use for.
    pub confined: bool,
    /// Standard streams.
    pub streams: Streams,
}

/// Standard streams of a program.
pub enum Streams {
    /// Input, output, error output.
    Pipes([OwnedFd; 3]),
    /// A new terminal of this size; its other side is reported.
    Terminal(WindowSize),
    /// As they are.
    Inherited,
}

/// Joins the pod's remaining namespaces and becomes the program. Comes back only with a failure.
pub fn become_program(
    program: Program<'_>,
    spaces: Option<&Spaces>,
    ids: Option<IdMap>,
    report: &Channel,
) -> Step<Infallible> {
    let argv = program.argv.iter().map(|text| c_string(text.clone())).collect::<Step<Vec<_>>>()?;
    let env = program.env.iter().map(|(name, value)| c_string(format!("{name}={value}"))).collect::<Step<Vec<_>>>()?;
    if let Some(Spaces { user, ipc, uts, .. }) = spaces {
        namespace::enter(ipc.as_fd(), "ipc")?;
        namespace::enter(uts.as_fd(), "uts")?;
        namespace::enter(user.as_fd(), "user")?;
    }
    limit_resources(program.processes)?;
    become_user(ids, program.user, program.groups)?;
    let confined = program.confined;
    use_streams(program.streams, report)?;
    rustix::process::chdir(program.cwd).step_on("chdir", program.cwd.display())?;
    sys::default_signals();
    sys::close_others_on_exec().step("descriptors")?;
    if confined {
        seccomp::confine().map_err(std::io::Error::other).step("seccomp")?;
    }
    exec(&argv, &env, program.env)
}

/// As many open files as this machine's limits allow, which is what container engines give.
pub fn raise_open_files() -> rustix::io::Result<()> {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })
}

fn limit_resources(processes: Option<u64>) -> Step<()> {
    raise_open_files().step("limit of open files")?;
    if let Some(most) = processes {
        let now = getrlimit(Resource::Nproc);
        let most = now.maximum.map_or(most, |hard| hard.min(most));
        setrlimit(Resource::Nproc, Rlimit { current: Some(most), maximum: Some(most) }).step("limit of processes")?;
    }
    Ok(())
}

/// Takes the program's identity and gives up every right it does not have.
fn become_user(ids: Option<IdMap>, (uid, gid): (u32, u32), groups: &[u32]) -> Step<()> {
    let (uid, gid) = if let Some(IdMap::Single { uid, gid }) = ids { (uid, gid) } else { (uid, gid) };
    // Until exec nobody in the pod may look into this process, which still is our program.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).step("dumpable")?;
    for bit in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if !RIGHTS.contains(one) && rustix::thread::remove_capability_from_bounding_set(one).is_err() {
            break; // The kernel knows no more.
        }
    }
    if matches!(ids, Some(IdMap::Range { .. })) {
        let groups: Vec<Gid> = groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        rustix::thread::set_thread_groups(&groups).step("setgroups")?;
    }
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::thread::set_thread_res_gid(group, group, group).step_on("setgid", gid)?;
    rustix::thread::set_thread_res_uid(user, user, user).step_on("setuid", uid)?;
    if uid != 0 {
        let none = CapabilitySet::empty();
        let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
        rustix::thread::set_capabilities(None, none).step("capabilities")?;
    }
    rustix::thread::set_no_new_privs(true).step("no_new_privs")
}

fn use_streams(streams: Streams, report: &Channel) -> Step<()> {
    let [stdin, stdout, stderr] = match streams {
        Streams::Inherited => return Ok(()),
        Streams::Pipes(pipes) => pipes,
        Streams::Terminal(size) => {
            let terminal = open_terminal(size, report)?;
            rustix::process::ioctl_tiocsctty(&terminal).step("controlling terminal")?;
            let copy = || rustix::io::fcntl_dupfd_cloexec(&terminal, 3).step("terminal");
            [copy()?, copy()?, terminal]
        }
    };
    rustix::stdio::dup2_stdin(stdin).step("standard input")?;
    rustix::stdio::dup2_stdout(stdout).step("standard output")?;
    rustix::stdio::dup2_stderr(stderr).step("standard error")
}

/// A terminal of the container's own, so that its name means something inside.
fn open_terminal(size: WindowSize, report: &Channel) -> Step<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::open("/dev/pts/ptmx", flags, Mode::empty()).step_on("open", "/dev/pts/ptmx")?;
    rustix::pty::unlockpt(&master).step("terminal")?;
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY | rustix::pty::OpenptFlags::CLOEXEC;
    let terminal = rustix::pty::ioctl_tiocgptpeer(&master, flags).step("terminal")?;
    resize(&master, size).step("terminal size")?;
    report.send(&Report::Terminal, &[master.as_fd()]).step("terminal")?;
    Ok(terminal)
}

/// Sets a terminal's size.
pub fn resize(terminal: &OwnedFd, size: WindowSize) -> std::io::Result<()> {
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(terminal, size)?)
}

fn exec(argv: &[CString], env: &[CString], variables: &[(String, String)]) -> Step<Infallible> {
    let program = argv.first().ok_or_else(|| Failure::new("exec", "no program is named"))?;
    let name = program.to_string_lossy().into_owned();
    if name.contains('/') {
        return Err(sys::exec(program, argv, env)).step_on("exec", name);
    }
    let path = variables.iter().rev().find(|(variable, _)| variable == "PATH");
    let path = path.map_or(USUAL_PATH, |(_, path)| path.as_str());
    // As shells do: what may not be run does not hide what may, further on.
    let mut said = std::io::Error::from_raw_os_error(libc::ENOENT);
    for folder in path.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let error = sys::exec(&c_string(format!("{folder}/{name}"))?, argv, env);
        if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) {
            said = error;
        }
    }
    Err(said).step_on("exec", format!("\"{name}\" in PATH={path}"))
}

fn c_string(text: String) -> Step<CString> {
    CString::new(text).map_err(|_| Failure::new("exec", "an argument or variable has a zero byte"))
}
