//! `doctor`: what this machine offers, found by trying, with the cure for what is missing. `up` runs the same
//! checks before it changes anything.

use crate::cli::Form;
use crate::error::Failure;
use crate::output::{self, Listing};
use crate::yard::YardDir;
use emberyard_sandbox::{Mode, Offer, Probe};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Disk that images, downloads and volumes of a first start need.
const DISK_WANTED: u64 = 6 << 30;
/// Memory that the control plane, a notebook and two small executors need.
const MEMORY_WANTED: u64 = 2 << 30;

#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    good: bool,
    needed: bool,
    found: String,
    cure: String,
}

#[derive(Debug, Serialize)]
struct Report {
    mode: Option<Mode>,
    findings: Vec<Finding>,
}

impl Listing for Report {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["", "WHAT", "FOUND", "CURE"], 4)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |finding: &Finding| {
            let mark = match (finding.good, finding.needed) {
                (true, _) => "ok",
                (false, true) => "MISSING",
                (false, false) => "less",
            };
            vec![mark.to_owned(), finding.what.to_owned(), finding.found.clone(), finding.cure.clone()]
        };
        self.findings.iter().map(row).collect()
    }
}

/// Runs the verb.
pub fn run(dir: &YardDir, form: Form) -> Result<(), Failure> {
    let report = examine(dir)?;
    output::listing(form, &report)?;
    match report.mode {
        Some(mode) => eprintln!("mode: {}", mode_text(mode)),
        None => {
            return Err(Failure::Machine(
                "neither root nor rootless mode works; see the lines marked MISSING".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Refuses a start that can't succeed, before anything is changed.
pub fn preflight(dir: &YardDir) -> Result<(), Failure> {
    let report = examine(dir)?;
    let missing: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.needed && !finding.good)
        .map(|finding| format!("{}: {} ({})", finding.what, finding.found, finding.cure))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::Machine(missing.join("; "))) }
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Root => "root (pods get shifted uid ranges and control groups)",
        Mode::Rootless => "rootless (user namespaces; pods run as you)",
    }
}

fn examine(dir: &YardDir) -> Result<Report, Failure> {
    let folder_error = |source| Failure::Folder { path: dir.path().to_path_buf(), source };
    // What is tried is tried where the yard will be, since file systems differ; a folder made for it goes again.
    let existed = dir.path().exists();
    let made = first_missing(dir.path());
    std::fs::create_dir_all(dir.path()).map_err(folder_error)?;
    let probed = emberyard_sandbox::probe(dir.path());
    let disk = free_disk(dir.path());
    let first_start = !dir.images().exists();
    if let (false, Some(made)) = (existed, made) {
        let _ = std::fs::remove_dir_all(made);
    }
    let probe = probed.map_err(|error| Failure::Machine(error.to_string()))?;
    let mut findings = machine(&probe);
    let disk_wanted = if first_start { DISK_WANTED } else { DISK_WANTED / 6 };
    findings.push(Finding {
        what: "disk",
        good: disk >= disk_wanted,
        needed: true,
        found: format!("{:.1} GiB free", gib(disk)),
        cure: format!("{:.0} GiB wanted: name a folder on a larger disk with --dir", gib(disk_wanted)),
    });
    let memory = available_memory();
    findings.push(Finding {
        what: "memory",
        good: memory >= MEMORY_WANTED,
        needed: memory < MEMORY_WANTED / 2,
        found: format!("{:.1} GiB available", gib(memory)),
        cure: "2 GiB wanted: close something, or take smaller executors (spark.executor.memory)".to_owned(),
    });
    Ok(Report { mode: probe.mode(), findings })
}

fn machine(probe: &Probe) -> Vec<Finding> {
    let root = probe.root.works();
    let finding = |what, offer: &Offer, needed, cure: &str| Finding {
        what,
        good: offer.works(),
        needed,
        found: match offer {
            Offer::Yes => "works".to_owned(),
            Offer::No(why) => why.clone(),
        },
        cure: if offer.works() { String::new() } else { cure.to_owned() },
    };
    let userns = "allow them: sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu \
                  kernel.apparmor_restrict_unprivileged_userns=0; or run as root";
    let mut findings = vec![
        finding("root", &probe.root, false, "not needed; as root pods get control groups"),
        finding("user namespaces", &probe.user_namespace, !root, userns),
        finding("network namespaces", &probe.network_namespace, true, "the kernel needs CONFIG_NET_NS and CONFIG_VETH"),
        finding(
            "pid namespaces",
            &probe.pid_namespace,
            true,
            "the kernel needs CONFIG_PID_NS and a /proc not covered by other mounts",
        ),
        finding(
            "overlay file system",
            &probe.overlay,
            true,
            "name a folder on a local disk (ext4, xfs, btrfs) with --dir",
        ),
        finding("joining namespaces", &probe.joining, true, "a security module forbids setns: see its log"),
        finding("nftables", &probe.nftables, false, "without it pods reach nothing outside the yard: load nf_tables"),
    ];
    if root {
        findings.push(finding(
            "id-mapped mounts",
            &probe.idmapped_mounts,
            true,
            "take a kernel of 5.19 or newer, or run without root",
        ));
    }
    let controllers: Vec<&str> = probe.cgroups.keys().map(String::as_str).collect();
    findings.push(Finding {
        what: "control groups",
        good: controllers.contains(&"memory"),
        needed: false,
        found: if controllers.is_empty() { "none".to_owned() } else { controllers.join(" ") },
        cure: "without them CPU limits are not enforced, and memory limits are watched once a second, not enforced by the \
               kernel: run as root, or in a delegated systemd unit"
            .to_owned(),
    });
    findings
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// The topmost folder that making `path` would make.
fn first_missing(path: &Path) -> Option<PathBuf> {
    path.ancestors().take_while(|ancestor| !ancestor.exists()).last().map(Path::to_path_buf)
}

fn free_disk(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map(|stat| stat.f_bavail * stat.f_frsize).unwrap_or(0)
}

/// `MemAvailable` of /proc/meminfo, lowered to what a container's limit leaves.
pub fn available_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
