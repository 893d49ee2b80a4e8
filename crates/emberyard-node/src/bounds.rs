//! How many connections may be carried at once: as many as open files allow, and for one client a part of them, so that a
//! pod that opens thousands leaves room for its neighbours and for what else the process has to do.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open files kept back for everything else.
const RESERVED: u64 = 256;
/// More than this many connections at once are of no use to anybody.
const MOST: u64 = 8192;
/// One client has at most this part of them.
const PART: usize = 4;

/// The bounds of one process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    total: usize,
    held: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// Room for one connection, until dropped.
#[derive(Debug)]
pub(crate) struct Room {
    client: IpAddr,
    bounds: Bounds,
}

impl Bounds {
    /// What open files allow: two a connection. The soft limit is raised to the hard one first.
    pub(crate) fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, ..limit };
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
        let files = limit.current.unwrap_or(2 * MOST + RESERVED);
        let total = (files.saturating_sub(RESERVED) / 2).clamp(64, MOST);
        Self::new(usize::try_from(total).unwrap_or(64))
    }

    fn new(total: usize) -> Self {
        Self { total, held: Arc::default() }
    }

    /// Room for a connection of a client; `None` when the client or all together have too many.
    pub(crate) fn room(&self, client: IpAddr) -> Option<Room> {
        let mut held = self.held();
        if held.values().sum::<usize>() >= self.total {
            return None;
        }
        let own = held.entry(client).or_default();
        if *own >= self.total / PART {
            return None;
        }
        *own += 1;
        if *own == self.total / PART {
            tracing::warn!(%client, connections = *own, "has as many connections as one may: more are refused");
        }
        Some(Room { client, bounds: self.clone() })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut held = self.bounds.held();
        if let Some(own) = held.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greedy_client_leaves_room_for_others() {
        let bounds = Bounds::new(8);
        let client = |last: u8| IpAddr::from([10, 42, 1, last]);
        let mut greedy: Vec<Room> = std::iter::from_fn(|| bounds.room(client(2))).collect();
        assert_eq!(greedy.len(), 2);
        let others: Vec<Room> = (3..9).filter_map(|last| bounds.room(client(last))).collect();
        assert_eq!(others.len(), 6);
        assert!(bounds.room(client(9)).is_none(), "all together have too many");
        greedy.pop();
        assert!(bounds.room(client(2)).is_some());
        drop((greedy, others));
        assert!(bounds.held().is_empty());
    }
}
