//! `doctor`: what this machine offers, found by trying, with the cure for what is missing. `up` runs the same
//! checks before it changes anything.

use crate::cli::Form;
use crate::error::Failure;
use crate::output::{self, Listing};
use crate::yard::{Settings, YardDir};
use emberyard_manifest::Sizes;
use emberyard_model::Bytes;
use emberyard_sandbox::{Mode, Offer, Probe};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Disk that images, downloads and volumes of a first start need.
const DISK_WANTED: u64 = 6 << 30;
/// Memory without which not even a notebook starts.
const MEMORY_NEEDED: u64 = 1 << 30;

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
    /// How pods will reach the outside.
    outbound: &'static str,
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
    let images = Settings::load(dir)?.map_or_else(|| dir.images(), |settings| settings.images(dir));
    let report = examine(dir, &images)?;
    output::listing(form, &report)?;
    match report.mode {
        Some(mode) => eprintln!("mode: {}\noutbound: {}", mode_text(mode), report.outbound),
        None => {
            return Err(Failure::Machine(
                "neither root nor rootless mode works; see the lines marked MISSING".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Refuses a start that can't succeed, before anything is changed. `images` is the store it will use: one that is
/// there needs no room for a first build.
pub fn preflight(dir: &YardDir, images: &Path) -> Result<(), Failure> {
    allow(&examine(dir, images)?)
}

fn allow(report: &Report) -> Result<(), Failure> {
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

/// What was measured of the machine, where the yard will be.
struct Figures {
    /// Free bytes of the yard's disk.
    disk: u64,
    /// Bytes of memory that programs can have.
    memory: u64,
    /// Whether images are still to be built.
    first_start: bool,
    /// Whether the yard's file system lets programs run.
    executable: bool,
}

fn examine(dir: &YardDir, images: &Path) -> Result<Report, Failure> {
    let folder_error = |source| Failure::Folder { path: dir.path().to_path_buf(), source };
    // What is tried is tried where the yard will be, since file systems differ; a folder made for it goes again.
    let made = first_missing(dir.path());
    std::fs::create_dir_all(dir.path()).map_err(folder_error)?;
    let probed = emberyard_sandbox::probe(dir.path());
    let figures = Figures {
        disk: free_disk(dir.path()),
        memory: crate::machine::available_memory(),
        first_start: !images.exists(),
        executable: !is_noexec(dir.path()),
    };
    if let Some(made) = made {
        let _ = std::fs::remove_dir_all(made);
    }
    Ok(judge(&probed.map_err(|error| Failure::Machine(error.to_string()))?, &figures))
}

/// What of it is good enough.
fn judge(probe: &Probe, figures: &Figures) -> Report {
    let mut findings = machine(probe);
    let disk_wanted = if figures.first_start { DISK_WANTED } else { DISK_WANTED / 6 };
    findings.push(Finding {
        what: "disk",
        good: figures.disk >= disk_wanted,
        needed: true,
        found: format!("{:.1} GiB free", gib(figures.disk)),
        cure: format!("{:.0} GiB wanted: name a folder on a larger disk with --dir", gib(disk_wanted)),
    });
    findings.push(Finding {
        what: "programs on the disk",
        good: figures.executable,
        needed: true,
        found: if figures.executable { "may run" } else { "may not run: it is mounted with noexec" }.to_owned(),
        cure: "name a folder on a disk mounted without noexec with --dir".to_owned(),
    });
    let gives_way = Sizes::of(Bytes(figures.memory)).said(true);
    findings.push(Finding {
        what: "memory",
        good: gives_way.is_none(),
        needed: figures.memory < MEMORY_NEEDED,
        found: format!("{:.1} GiB available", gib(figures.memory)),
        cure: if figures.memory < MEMORY_NEEDED {
            format!("{:.0} GiB wanted: close other programs", gib(MEMORY_NEEDED))
        } else {
            gives_way.unwrap_or_default()
        },
    });
    let outbound = if probe.nftables.works() {
        "pods reach the outside directly (nf_tables redirects what they send)"
    } else {
        "pods reach the outside through an HTTP proxy in their environment (pip, apt, curl and Python know it, Java does not)"
    };
    Report { mode: probe.mode(), outbound, findings }
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
                  kernel.apparmor_restrict_unprivileged_userns=0";
    let mut findings = vec![
        finding("root", &probe.root, false, "not needed; as root pods get control groups"),
        finding("user namespaces", &probe.user_namespace, true, userns),
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
        finding(
            "nftables",
            &probe.nftables,
            false,
            "without it pods get out through an HTTP proxy in their environment only: load nf_tables",
        ),
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

/// Volumes are shown to pods as they are: where nothing may run, no library of a user's package loads.
fn is_noexec(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn probe() -> Probe {
        Probe {
            uid: 1000,
            root: Offer::No("not root".to_owned()),
            user_namespace: Offer::Yes,
            network_namespace: Offer::Yes,
            pid_namespace: Offer::Yes,
            overlay: Offer::Yes,
            idmapped_mounts: Offer::No("not root".to_owned()),
            joining: Offer::Yes,
            nftables: Offer::Yes,
            cgroups: BTreeMap::new(),
        }
    }

    fn figures() -> Figures {
        Figures { disk: 50 << 30, memory: 8 << 30, first_start: true, executable: true }
    }

    fn refusal(probe: &Probe, figures: &Figures) -> String {
        allow(&judge(probe, figures)).err().map(|failure| failure.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_start_is_refused_for_what_it_needs_and_only_that() {
        assert_eq!(refusal(&probe(), &figures()), "");
        let little = Figures { memory: 3 << 29, ..figures() };
        assert_eq!(refusal(&probe(), &little), "", "1.5 GiB is tight, not hopeless");
        let table = [
            (Figures { memory: 1 << 29, ..figures() }, "0.5 GiB available (1 GiB wanted"),
            (Figures { disk: 2 << 30, ..figures() }, "2.0 GiB free (6 GiB wanted"),
            (Figures { disk: 1 << 29, first_start: false, ..figures() }, "0.5 GiB free (1 GiB wanted"),
            (Figures { executable: false, ..figures() }, "noexec"),
        ];
        for (figures, wanted) in table {
            let refused = refusal(&probe(), &figures);
            assert!(refused.contains(wanted) && !refused.contains("; "), "{wanted}: {refused}");
        }
        assert_eq!(refusal(&probe(), &Figures { disk: 2 << 30, first_start: false, ..figures() }), "");
    }

    #[test]
    fn a_refusal_names_the_cure() {
        let no = || Offer::No("mount: Invalid argument".to_owned());
        let refused = refusal(&Probe { overlay: no(), ..probe() }, &figures());
        assert!(refused.contains("Invalid argument") && refused.contains("--dir"), "{refused}");
        let refused = refusal(&Probe { user_namespace: no(), ..probe() }, &figures());
        assert!(refused.contains("sysctl"), "{refused}");
        // Root shifts the owners of pods' files by id-mapped mounts.
        let refused = refusal(&Probe { root: Offer::Yes, ..probe() }, &figures());
        assert!(refused.contains("id-mapped") && refused.contains("kernel"), "{refused}");
    }
}
