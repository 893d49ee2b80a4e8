//! How much of what Spark read from HDFS was read on the reader's own node.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Annotation with a [`HdfsScore`] as JSON, on the ConfigMap that Spark makes for an application: the kernel writes it there.
pub const SCORE_ANNOTATION: &str = "emberyard.dev/hdfs-score";

/// A Spark session's score so far, from Spark's own data. Of a cell with very many tasks the newest are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HdfsScore {
    /// Tasks that read from HDFS.
    pub tasks: u64,
    /// Those that ran on a node with their blocks.
    pub local_tasks: u64,
    /// What all of them read.
    pub bytes: u64,
    /// What the local ones read.
    pub local_bytes: u64,
}

impl fmt::Display for HdfsScore {
    /// The kernel's `spark_score.line` says it in the same words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, local_tasks, bytes, local_bytes } = *self;
        let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let (name, shift) = units.into_iter().find(|(_, shift)| bytes >> shift > 0).unwrap_or(("B", 0));
        let with_tenths = shift > 0 && bytes >> shift < 10;
        // Rounded down: what is nearly all is not shown as all.
        let shown = |bytes: u64| {
            let tenths = (u128::from(bytes) * 10) >> shift;
            if with_tenths { format!("{}.{}", tenths / 10, tenths % 10) } else { (tenths / 10).to_string() }
        };
        write!(
            f,
            "HDFS: {local_tasks} of {tasks} tasks read their blocks on their own node ({} of {} {name})",
            shown(local_bytes),
            shown(bytes)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence() {
        let mib = 1 << 20;
        let table = [
            ((16, 16, 484 * mib, 484 * mib), "16 of 16 tasks read their blocks on their own node (484 of 484 MiB)"),
            ((4, 3, 10 * mib - 1, 2 * mib), "3 of 4 tasks read their blocks on their own node (2.0 of 9.9 MiB)"),
            ((16, 0, 15 << 30, 0), "0 of 16 tasks read their blocks on their own node (0 of 15 GiB)"),
            ((1, 1, 1023, 1023), "1 of 1 tasks read their blocks on their own node (1023 of 1023 B)"),
            ((2, 1, 5 << 50, 1 << 50), "1 of 2 tasks read their blocks on their own node (1024 of 5120 TiB)"),
            ((0, 0, 0, 0), "0 of 0 tasks read their blocks on their own node (0 of 0 B)"),
        ];
        for ((tasks, local_tasks, bytes, local_bytes), wanted) in table {
            let score = HdfsScore { tasks, local_tasks, bytes, local_bytes };
            assert_eq!(score.to_string(), format!("HDFS: {wanted}"));
        }
    }
}
