//! Why a run failed.

use std::time::Duration;

/// What ended a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No connection to Jupyter.
    #[error("the notebook can't be reached: {0}")]
    Unreachable(String),
    /// Jupyter answered with a refusal.
    #[error("Jupyter answered {status} to {what}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What was asked.
        what: String,
        /// What it said.
        message: String,
    },
    /// The file is no notebook and no Python source.
    #[error("{path} can't be run: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A cell raised an exception.
    #[error("cell {number} ended with {name}: {value}")]
    Cell {
        /// Number of the code cell, from 1.
        number: usize,
        /// Class of the exception.
        name: String,
        /// Its text.
        value: String,
    },
    /// The time was over.
    #[error("the run was stopped after {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection to the kernel broke; the kernel may live on.
    #[error("the connection to the kernel broke")]
    Cut,
    /// The kernel is gone.
    #[error("the kernel ended during the run")]
    KernelDied,
}
