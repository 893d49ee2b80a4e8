//! Small jobs with an answer that can be known without Spark. Each has tasks that wait, so that a fault finds them at work
//! also on a machine with two cores that has little to spare.

use serde::Serialize;

/// A job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Two shuffles of an RDD, in Python.
    Shuffle,
    /// A cached table that is read again and again.
    Cache,
    /// A Python function and a pandas function over a table.
    Udf,
    /// Two tables, sorted and merged.
    Join,
    /// A table that is written to HDFS and read from there.
    Hdfs,
}

/// What every cell of a session begins with.
const SESSION: &str = include_str!("job/session.py");

impl Job {
    /// Those that need no HDFS.
    pub const PLAIN: [Self; 4] = [Self::Shuffle, Self::Cache, Self::Udf, Self::Join];

    /// The cell that makes the session these jobs need.
    pub fn session() -> &'static str {
        SESSION
    }

    /// The cell; it prints the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::Shuffle => include_str!("job/shuffle.py"),
            Self::Cache => include_str!("job/cache.py"),
            Self::Udf => include_str!("job/udf.py"),
            Self::Join => include_str!("job/join.py"),
            Self::Hdfs => include_str!("job/hdfs.py"),
        }
    }

    /// What it must print.
    pub fn answer(self) -> String {
        match self {
            Self::Shuffle => (0_u64..40_000).map(|i| i * (i % 97)).sum::<u64>().to_string(),
            Self::Cache => {
                let once: u64 = (0..50_000).map(|id| id * 3).sum();
                (0..5_u64).map(|round| once + round * 50_000).sum::<u64>().to_string()
            }
            Self::Udf => (0_u64..20_000).map(|id| id * 2 + id % 7).sum::<u64>().to_string(),
            Self::Hdfs => (0_u64..40_000).map(|id| id * 3).sum::<u64>().to_string(),
            Self::Join => (0_u64..30_000).filter(|id| id % 3 == 0).map(|id| id * 2 + 1).sum::<u64>().to_string(),
        }
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shuffle => "shuffle",
            Self::Cache => "cache",
            Self::Udf => "udf",
            Self::Join => "join",
            Self::Hdfs => "hdfs",
        })
    }
}
