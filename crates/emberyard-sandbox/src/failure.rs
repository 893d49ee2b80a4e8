//! How roles report that a step failed, in a form that travels between processes.

use crate::error::SandboxError;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::io;

/// A step that failed in a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step.
    pub step: String,
    /// What the system said, with its object.
    pub message: String,
    /// The error number, 0 for none.
    pub errno: i32,
}

impl Failure {
    /// A failure without a system error.
    pub fn new(step: &str, message: impl Display) -> Self {
        Self { step: step.to_owned(), message: message.to_string(), errno: 0 }
    }
}

impl From<Failure> for SandboxError {
    fn from(Failure { step, message, errno }: Failure) -> Self {
        Self::Refused { step, message, errno }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Refused { step, message, errno } => Self { step, message, errno },
            SandboxError::Io { what, source } => {
                Self { step: what, message: source.to_string(), errno: source.raw_os_error().unwrap_or(0) }
            }
            other => Self::new("sandbox", other),
        }
    }
}

/// Result of a step.
pub type Step<T> = Result<T, Failure>;

/// Names the step of a system error.
pub trait Steps<T> {
    /// Names the step.
    fn step(self, name: &str) -> Step<T>;
    /// Names the step and what it was about.
    fn step_on(self, name: &str, subject: impl Display) -> Step<T>;
}

impl<T, E: Into<io::Error>> Steps<T> for Result<T, E> {
    fn step(self, name: &str) -> Step<T> {
        self.map_err(|error| {
            let error: io::Error = error.into();
            Failure { step: name.to_owned(), message: error.to_string(), errno: error.raw_os_error().unwrap_or(0) }
        })
    }

    fn step_on(self, name: &str, subject: impl Display) -> Step<T> {
        self.step(name).map_err(|failure| Failure { message: format!("{subject}: {}", failure.message), ..failure })
    }
}
