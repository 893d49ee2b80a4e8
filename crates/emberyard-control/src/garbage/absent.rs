//! Uids that are known to be gone for ever, the latest of them.

use std::collections::{BTreeSet, VecDeque};

/// More are forgotten, oldest first; a forgotten one is asked for again.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Absent {
    uids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Absent {
    pub(super) fn insert(&mut self, uid: &str) {
        if self.uids.insert(uid.to_owned()) {
            self.order.push_back(uid.to_owned());
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.uids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }
}
