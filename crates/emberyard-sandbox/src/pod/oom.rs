//! The end of a container that is out of memory, where the kernel ends a part of it only: version 1 of control groups
//! kills one process, and the rest would go on with nobody to say why. Version 2 ends the group by itself.

use crate::cgroup;
use crate::failure::{Step, Steps};
use crate::processes::{self, Processes};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsRawFd, OwnedFd};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// The kernel tells that a group is full before it kills, and perhaps kills in another group below the same parent: how
/// often it is then looked whether it was ours.
const LOOKS: u32 = 100;

/// Watches the memory of one container.
#[derive(Debug)]
pub struct OutOfMemory {
    /// Can be read when the group, or one above it, is full.
    pub event: OwnedFd,
    group: PathBuf,
    looks: u32,
    programs: Vec<(String, u64)>,
}

impl OutOfMemory {
    /// Of a container in these groups; none where the kernel ends it as a whole, or counts no memory.
    pub fn watch(groups: &[PathBuf]) -> Step<Option<Self>> {
        let Some(group) = cgroup::has(groups, "memory").filter(|group| group.join("memory.oom_control").exists())
        else {
            return Ok(None);
        };
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).step("eventfd")?;
        let control = File::open(group.join("memory.oom_control")).step_on("open", group.display())?;
        let order = format!("{} {}", event.as_raw_fd(), control.as_raw_fd());
        let file = OpenOptions::new().write(true).open(group.join("cgroup.event_control"));
        file.and_then(|mut file| file.write_all(order.as_bytes())).step_on("watch memory", group.display())?;
        Ok(Some(Self { event, group: group.clone(), looks: 0, programs: Vec::new() }))
    }

    /// The event came for a container with this mount namespace. Its programs are noted at once, before one is gone.
    pub fn heard(&mut self, mounts: u64) {
        let _counted = rustix::io::read(&self.event, &mut [0; 8]);
        self.looks = LOOKS;
        let now = Processes::look();
        let programs = now.of_mounts(mounts).iter().map(|pid| (processes::name(*pid), processes::resident(*pid)));
        let mut programs: Vec<(String, u64)> = programs.collect();
        let most = cgroup::memory_peak(std::slice::from_ref(&self.group)).unwrap_or(0);
        give_back(&mut programs, most);
        if total(&programs) > total(&self.programs) {
            self.programs = programs;
        }
    }

    /// Whether it is to be looked at soon.
    pub fn is_full(&self) -> bool {
        self.looks > 0
    }

    /// Whether the kernel has killed a process of this container; asked only after the event.
    pub fn has_killed(&mut self) -> bool {
        self.looks = self.looks.saturating_sub(1);
        let killed = cgroup::out_of_memory_kills(std::slice::from_ref(&self.group)) > 0;
        if killed {
            self.looks = 0;
        }
        killed
    }

    /// The programs that filled it, and what each had, in bytes.
    pub fn into_programs(self) -> Vec<(String, u64)> {
        self.programs
    }
}

fn total(programs: &[(String, u64)]) -> u64 {
    programs.iter().map(|(_, bytes)| bytes).sum()
}

/// Who has nothing any more was killed a moment ago: it had what is missing from the most there ever was.
fn give_back(programs: &mut [(String, u64)], most: u64) {
    let missing = most.saturating_sub(total(programs));
    if let Some((_, bytes)) = programs.iter_mut().find(|(_, bytes)| *bytes == 0) {
        *bytes = missing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_killed_one_had_what_is_missing() {
        let mut programs = vec![("java".to_owned(), 300), ("python3".to_owned(), 0), ("sh".to_owned(), 0)];
        give_back(&mut programs, 900);
        assert_eq!(programs.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(), [300, 600, 0]);
        give_back(&mut programs[..2], 900);
        assert_eq!(total(&programs), 900);
    }
}
