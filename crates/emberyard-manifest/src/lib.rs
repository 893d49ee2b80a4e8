//! Validated specs to Kubernetes objects and Spark and Jupyter configuration.
//!
//! Ring 1: pure. [`validate()`] turns a Notebook into a [`Session`] in which every default is settled and every name
//! is known to be legal; [`build()`] turns a session into objects and can't fail. What a user sees of a notebook is
//! decided here and nowhere else: `tests/golden` holds a whole one.

mod account;
mod build;
mod config;
pub mod error;
pub mod hdfs;
mod labels;
mod names;
mod outside;
mod pod;
mod service;
pub mod settings;
mod sizing;
mod spark;
mod storage;
mod validate;

pub use build::{NotebookObjects, build};
pub use error::{CODES, InvalidHdfs, InvalidNotebook};
pub use labels::{MANAGED_BY, SPEC_ANNOTATION};
pub use names::{Names, SESSION_PATH, SPARK_APP_LABEL, SPARK_ROLE_LABEL};
pub use settings::{Outside, SessionSettings};
pub use sizing::{ScaleDemo, Sizes};
pub use storage::token_secret;
pub use validate::{Identity, Session, validate};
