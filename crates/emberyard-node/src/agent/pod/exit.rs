//! How a run ended, in Kubernetes' words.

use crate::agent::files;
use emberyard_model::Timestamp;
use emberyard_pod::Exit;
use emberyard_pod::oom::MemoryFigures;
use emberyard_pod::spec::Container;
use emberyard_sandbox::{ContainerState, Ended};
use std::path::{Path, PathBuf};

/// Kubernetes' own limits of a termination message.
const MOST_FROM_FILE: usize = 4096;
const MOST_FROM_LOG: usize = 2048;

/// The file that a container may leave its last words in.
pub(super) fn message_file(dir: &Path, container: &str, attempt: u32) -> PathBuf {
    dir.join("termination").join(format!("{container}.{attempt}"))
}

/// The log of a run.
pub(crate) fn log_file(dir: &Path, container: &str, attempt: u32) -> PathBuf {
    dir.join("logs").join(container).join(format!("{attempt}.log"))
}

/// Figures of a run that was ended for passing its memory limit.
pub(in crate::agent) fn oom_file(dir: &Path, container: &str, attempt: u32) -> PathBuf {
    dir.join("oom").join(format!("{container}.{attempt}.json"))
}

/// A run that the supervisor saw end; `figures` are of the last look at its memory.
pub(super) fn of(
    dir: &Path,
    spec: Option<&Container>,
    state: &ContainerState,
    ended: &Ended,
    figures: Option<MemoryFigures>,
) -> Exit {
    let oom = out_of_memory(dir, spec, state, ended, figures);
    let reason = if oom.is_some() {
        "OOMKilled"
    } else if ended.exit_code == 0 {
        "Completed"
    } else {
        "Error"
    };
    let mut message = std::fs::read(message_file(dir, &state.name, state.attempt)).unwrap_or_default();
    message.truncate(MOST_FROM_FILE);
    let from_log = spec.is_some_and(|s| s.termination_message_policy == "FallbackToLogsOnError");
    let message = if message.is_empty() && from_log && ended.exit_code != 0 {
        last_lines(&log_file(dir, &state.name, state.attempt))
    } else {
        String::from_utf8_lossy(&message).into_owned()
    };
    let message = match oom {
        Some(figures) if message.is_empty() => figures.to_string(),
        Some(figures) => format!("{figures}\n{message}"),
        None => message,
    };
    Exit {
        attempt: state.attempt,
        code: ended.exit_code,
        signal: None,
        reason: reason.to_owned(),
        message,
        started: Some(state.started),
        finished: ended.at,
    }
}

/// The figures of a run that ended for lack of memory: ended by us, or by the kernel. One that went on after the kernel
/// had killed a part of it and ended well did not.
fn out_of_memory(
    dir: &Path,
    spec: Option<&Container>,
    state: &ContainerState,
    ended: &Ended,
    seen: Option<MemoryFigures>,
) -> Option<MemoryFigures> {
    let ours = files::load::<MemoryFigures>(&oom_file(dir, &state.name, state.attempt));
    if ours.is_some() {
        return ours;
    }
    if !ended.out_of_memory || ended.exit_code == 0 {
        return None;
    }
    let limit = spec.and_then(|s| s.resources.limits.get("memory")).map_or(0, |q| q.units().unsigned_abs());
    let mut figures = seen.unwrap_or_else(|| MemoryFigures::new(limit, limit, []));
    figures.used = figures.used.max(ended.memory_peak.unwrap_or(0));
    // Seen when it was full, which is later than our last look; unless the largest one was gone by then.
    let full = MemoryFigures::new(limit, limit, ended.programs.iter().cloned());
    let total = |figures: &MemoryFigures| figures.programs.iter().map(|program| program.bytes).sum::<u64>();
    if total(&full) > total(&figures) {
        figures.programs = full.programs;
    }
    Some(figures)
}

/// A run whose program could not be started.
pub(super) fn cannot_run(attempt: u32, code: i32, message: String, now: Timestamp) -> Exit {
    Exit { attempt, code, signal: None, reason: "ContainerCannotRun".into(), message, started: None, finished: now }
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<&str> = text.lines().rev().take(80).collect();
    lines.reverse();
    // A CRI line is time, stream, flag, text.
    let joined: Vec<&str> = lines.into_iter().filter_map(|line| line.splitn(4, ' ').nth(3)).collect();
    let joined = joined.join("\n");
    let mut from = joined.len().saturating_sub(MOST_FROM_LOG);
    while !joined.is_char_boundary(from) {
        from += 1;
    }
    joined[from..].to_owned()
}
