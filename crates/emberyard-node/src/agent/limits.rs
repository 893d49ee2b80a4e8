//! Looks after containers with a memory limit: keeps figures for the day one of them passes it, and ends it then where no
//! control group makes the kernel do so.

use super::Node;
use super::memory::used;
use super::pod::oom_file;
use crate::agent::files;
use crate::kubelet::PodView;
use emberyard_pod::oom::MemoryFigures;
use emberyard_sandbox::processes::{self, Processes};
use emberyard_sandbox::{ContainerState, PodSandbox};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(1);
/// Looks between two searches for new processes while all containers are far from their limits.
const SEARCH_EVERY: u32 = 3;
/// A container's pages are walked again when it has grown by this part of its limit since the last time.
const GROWN: u64 = 64;
/// Looks after which they are walked again anyway.
const WALK_EVERY: u32 = 10;

/// One run of a container: pod's uid, name, attempt.
type Run = (String, String, u32);

/// Figures of running containers near their limits, for the message when one ends. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<BTreeMap<Run, MemoryFigures>>>);

impl Figures {
    /// The last figures of a run.
    pub(crate) fn of(&self, uid: &str, state: &ContainerState) -> Option<MemoryFigures> {
        let key = (uid.to_owned(), state.name.clone(), state.attempt);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn set(&self, key: &Run, figures: MemoryFigures) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), figures);
    }

    /// Forgets runs that are over; a pod's task has read them by then or never will.
    fn keep(&self, running: &BTreeMap<Run, Watched>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|key, _| running.contains_key(key));
    }
}

/// What is remembered of a run between two looks.
#[derive(Default)]
struct Watched {
    processes: Vec<i32>,
    /// Resident memory when its pages were last walked, and how many looks ago.
    walked: Option<(u64, u32)>,
    gone: bool,
}

/// Runs for ever.
pub(super) async fn keep(node: Arc<Node>) {
    let mut watch = Watch { figures: node.figures.clone(), runs: BTreeMap::new(), looks: 0, near: false };
    loop {
        tokio::time::sleep(LOOK).await;
        let views: Vec<PodView> = node.registry.all().into_iter().filter(|view| !view.limits.is_empty()).collect();
        if views.is_empty() && watch.runs.is_empty() {
            continue;
        }
        let looked = tokio::task::spawn_blocking(move || {
            watch.look(&views);
            watch
        });
        match looked.await {
            Ok(back) => watch = back,
            Err(_) => return,
        }
    }
}

struct Watch {
    figures: Figures,
    runs: BTreeMap<Run, Watched>,
    looks: u32,
    /// A container uses more than half of what it may.
    near: bool,
}

impl Watch {
    fn look(&mut self, views: &[PodView]) {
        self.looks = self.looks.wrapping_add(1);
        let search = self.near || self.looks.is_multiple_of(SEARCH_EVERY);
        let mut found: Option<Processes> = None;
        self.near = false;
        self.runs.values_mut().for_each(|run| run.gone = true);
        for view in views {
            for state in view.states.iter().filter(|state| state.ended.is_none()) {
                let Some(limit) = view.limits.get(&state.name).copied() else { continue };
                let key = (view.uid.clone(), state.name.clone(), state.attempt);
                let new = !self.runs.contains_key(&key);
                let run = self.runs.entry(key.clone()).or_default();
                run.gone = false;
                if let Some(group) = &state.memory_cgroup {
                    let now = used(state).unwrap_or(0);
                    if now > limit / 2 {
                        self.figures.set(&key, of_group(group, limit, now));
                    }
                    continue;
                }
                if search || new {
                    run.processes = found.get_or_insert_with(Processes::look).of(&state.process).to_vec();
                }
                let resident: u64 = run.processes.iter().map(|pid| processes::resident(*pid)).sum();
                self.near |= resident > limit / 2;
                if resident <= limit || !run.is_due(resident, limit) {
                    continue;
                }
                let figures = walk(&run.processes, limit);
                if figures.used > limit {
                    end(view, state, &figures);
                }
                self.figures.set(&key, figures);
            }
        }
        self.runs.retain(|_, run| !run.gone);
        self.figures.keep(&self.runs);
    }
}

impl Watched {
    /// Whether it is worth walking its pages: it has grown, or the last time is long ago.
    fn is_due(&mut self, resident: u64, limit: u64) -> bool {
        let due = match self.walked {
            Some((then, looks)) => resident > then + limit / GROWN || looks >= WALK_EVERY,
            None => true,
        };
        self.walked = match self.walked {
            Some((then, looks)) if !due => Some((then, looks + 1)),
            _ => Some((resident, 0)),
        };
        due
    }
}

fn walk(processes: &[i32], limit: u64) -> MemoryFigures {
    let each: Vec<(String, u64)> =
        processes.iter().map(|pid| (processes::name(*pid), processes::proportional(*pid))).collect();
    let used = each.iter().map(|(_, bytes)| bytes).sum();
    MemoryFigures::new(limit, used, each)
}

fn of_group(group: &Path, limit: u64, used: u64) -> MemoryFigures {
    let list = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let processes = list.lines().filter_map(|line| line.parse::<i32>().ok());
    MemoryFigures::new(limit, used, processes.map(|pid| (processes::name(pid), processes::resident(pid))))
}

/// Ends a container. The figures are on disk before, so that an agent that never sees the end still knows why.
fn end(view: &PodView, state: &ContainerState, figures: &MemoryFigures) {
    let file = oom_file(&view.dir, &state.name, state.attempt);
    let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| files::save(&file, figures));
    if let Err(error) = written {
        tracing::warn!(%error, "why a container ends could not be noted");
    }
    tracing::info!(container = state.name, %figures, "over its memory limit: ended");
    let ended = view.sandbox.as_ref().map(|sandbox: &PodSandbox| sandbox.kill_container(&state.name));
    if let Some(Err(error)) = ended {
        tracing::warn!(container = state.name, %error, "a container over its memory limit does not end");
    }
}
