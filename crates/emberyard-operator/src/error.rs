//! Why an operator can't run at all. Everything else is tried again.

use emberyard_client::ApiError;
use emberyard_model::{Code, Explained};

/// What ends an operator.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The Notebook's definition is missing and may not be made.
    #[error("the cluster does not know Notebooks, and this operator may not teach it")]
    NoDefinition(#[source] ApiError),
}

const NO_DEFINITION: Code = Code {
    id: "EY-OPR-001",
    what: "The cluster does not know Notebooks.",
    why: "The custom resource definition notebooks.emberyard.dev is missing, and the operator's account may not create it.",
    cure: "Install the chart, which brings it, or let the operator's account create customresourcedefinitions.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[NO_DEFINITION];

impl Explained for OperatorError {
    fn code(&self) -> Code {
        match self {
            Self::NoDefinition(_) => NO_DEFINITION,
        }
    }
}
