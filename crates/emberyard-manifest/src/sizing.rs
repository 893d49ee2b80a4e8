//! How big a session is by default: what the machine's memory carries. What the user sets wins everywhere.

use emberyard_model::Bytes;
use serde::{Deserialize, Serialize};

const MIB: u64 = 1 << 20;
/// Keeper, control plane, operator, agents, with some room.
const YARD: u64 = 256 * MIB;
/// Jupyter, a kernel and a Spark driver; what a notebook's pod requests.
pub(crate) const NOTEBOOK: u64 = 1280 * MIB;
/// What Spark adds to an executor's heap, up to 3840 MiB of it.
const OVERHEAD: u64 = 384 * MIB;
/// Spark's own default.
const HEAP: u64 = 1024 * MIB;
/// Below 450 MiB Spark refuses to start.
const SMALLEST_HEAP: u64 = 512 * MIB;
/// Heaps are chosen in steps, so that a bit more or less memory changes nothing.
const STEP: u64 = 128 * MIB;
/// As many as the tutorial has.
const EXECUTORS: u32 = 2;
/// What a node declares where memory is plenty.
const NODE: u64 = 8192 * MIB;
/// A notebook fits, and little else.
const SMALLEST_NODE: u64 = 1536 * MIB;
/// What all but the executors, and one executor, were seen to use in the demos: less than they may.
const SEEN_REST: u64 = 1536 * MIB;
const SEEN_EXECUTOR: u64 = 448 * MIB;

/// Defaults of sessions and nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sizes {
    /// Executors of a session.
    pub executors: u32,
    /// The heap of each.
    pub executor_memory: Bytes,
    /// What each node declares.
    pub node_memory: Bytes,
    /// The memory that this follows from; `None`: nothing had to give way.
    pub available: Option<Bytes>,
}

/// The demo with many executors, as large as the machine carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleDemo {
    /// So many executors.
    pub executors: u32,
    /// Nodes of this memory: two don't hold them all, four do.
    pub node_memory: Bytes,
}

impl Sizes {
    /// Where memory is plenty, or another's business, as on a real cluster.
    pub const FULL: Self =
        Self { executors: EXECUTORS, executor_memory: Bytes(HEAP), node_memory: Bytes(NODE), available: None };

    /// What `available` bytes carry if every executor uses all it may. Smaller executors come before fewer: code that
    /// asks for two, as the tutorial's, still gets both.
    pub fn of(available: Bytes) -> Self {
        let rest = available.0.saturating_sub(YARD + NOTEBOOK);
        let heap = |executors: u64| (rest / executors).saturating_sub(OVERHEAD) / STEP * STEP;
        let all = heap(u64::from(EXECUTORS));
        let (executors, heap) = if all >= SMALLEST_HEAP { (EXECUTORS, all.min(HEAP)) } else { (1, SMALLEST_HEAP) };
        // Two nodes declare what there is; those that a fleet adds are overcommitted.
        let node = (available.0 / 2 / (2 * STEP) * (2 * STEP)).clamp(SMALLEST_NODE, NODE);
        let chosen = Self { executors, executor_memory: Bytes(heap), node_memory: Bytes(node), available: None };
        if chosen == Self::FULL { chosen } else { Self { available: Some(available), ..chosen } }
    }

    /// What was chosen and why, in a sentence; `None` if nothing had to give way. `nodes`: whether their size is ours.
    pub fn said(&self, nodes: bool) -> Option<String> {
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / (1024 * MIB) as f64);
        let available = self.available?;
        let mut parts = Vec::new();
        if (self.executors, self.executor_memory) != (Self::FULL.executors, Self::FULL.executor_memory) {
            let plural = if self.executors == 1 { "" } else { "s" };
            parts.push(format!(
                "a session has {} executor{plural} of {} MiB unless it sets spark.executor.instances and spark.executor.memory",
                self.executors,
                self.executor_memory.0 / MIB
            ));
        }
        if nodes && self.node_memory != Self::FULL.node_memory {
            parts.push(format!("a node declares {} unless --node-shape says otherwise", gib(self.node_memory.0)));
        }
        (!parts.is_empty()).then(|| format!("{} of memory are available: {}", gib(available.0), parts.join("; ")))
    }

    /// Executors of the tutorial's demo.
    pub fn tutorial(available: Bytes) -> u32 {
        demo(available, 1, EXECUTORS)
    }

    /// The demo that grows: fewer than three executors would not.
    pub fn scale(&self, available: Bytes) -> ScaleDemo {
        let executors = demo(available, 3, 10);
        let executor = self.executor_memory.0 + OVERHEAD;
        // A third of all, and something for what no executor fits into.
        let third = (u64::from(executors) * executor + NOTEBOOK) / 3;
        let node_memory = (third + executor / 2).next_multiple_of(2 * STEP).max(SMALLEST_NODE);
        ScaleDemo { executors, node_memory: Bytes(node_memory) }
    }
}

/// How many executors of the demos' small jobs fit.
fn demo(available: Bytes, least: u32, most: u32) -> u32 {
    let fit = available.0.saturating_sub(SEEN_REST) / SEEN_EXECUTOR;
    u32::try_from(fit).unwrap_or(most).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn gib(tenths: u64) -> Bytes {
        Bytes(tenths * 1024 * MIB / 10)
    }

    #[test]
    fn less_memory_smaller_then_fewer_executors() {
        let table = [
            // tenths of GiB available, executors, heap in MiB, node in MiB
            (220, 2, 1024, 8192),
            (160, 2, 1024, 8192),
            (80, 2, 1024, 4096),
            (43, 2, 1024, 2048),
            (40, 2, 896, 2048),
            (35, 2, 640, 1792),
            (33, 2, 512, 1536),
            (32, 1, 512, 1536),
            (20, 1, 512, 1536),
            (0, 1, 512, 1536),
        ];
        for (available, executors, heap, node) in table {
            let sizes = Sizes::of(gib(available));
            let chosen = (sizes.executors, sizes.executor_memory.0 / MIB, sizes.node_memory.0 / MIB);
            assert_eq!(chosen, (executors, heap, node), "{available}");
            let worst = YARD + NOTEBOOK + u64::from(executors) * (sizes.executor_memory.0 + OVERHEAD);
            assert!(worst <= gib(available).0 || executors == 1, "{available}: two must fit at their worst");
        }
    }

    #[test]
    fn what_is_said() {
        assert_eq!(Sizes::of(gib(220)).said(true), None);
        assert_eq!(Sizes::FULL.said(true), None);
        assert_eq!(
            Sizes::of(gib(80)).said(true).as_deref(),
            Some("8.0 GiB of memory are available: a node declares 4.0 GiB unless --node-shape says otherwise")
        );
        assert_eq!(Sizes::of(gib(80)).said(false), None);
        let said = Sizes::of(gib(30)).said(true).unwrap();
        assert!(
            said.starts_with("3.0 GiB of memory are available: a session has 1 executor of 512 MiB unless"),
            "{said}"
        );
        assert!(said.ends_with("a node declares 1.5 GiB unless --node-shape says otherwise"), "{said}");
    }

    #[test]
    fn demos_fit_the_machine_and_the_large_one_still_grows() {
        for (available, tutorial, scale) in [(220, 2, 10), (60, 2, 10), (40, 2, 5), (35, 2, 4), (30, 2, 3), (20, 1, 3)]
        {
            let sizes = Sizes::of(gib(available));
            assert_eq!(Sizes::tutorial(gib(available)), tutorial, "{available}");
            let demo = sizes.scale(gib(available));
            assert_eq!(demo.executors, scale, "{available}");
            let executor = sizes.executor_memory.0 + OVERHEAD;
            let first = (demo.node_memory.0 - NOTEBOOK) / executor;
            let other = demo.node_memory.0 / executor;
            assert!(first + other < u64::from(scale), "{available}: two nodes must not do");
            assert!(first + 3 * other >= u64::from(scale), "{available}: four nodes must do");
        }
    }
}
