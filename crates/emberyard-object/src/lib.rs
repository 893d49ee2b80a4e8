//! Kubernetes objects as plain JSON values: kinds, schemas, defaults, patches, selectors, wire forms.
//!
//! Ring 0: pure functions of values. What the kinds are is data, made by `cargo xtask atlas` from what a
//! real API server publishes; nothing here is written per kind except where upstream's rule is Go code.

pub mod catalog;
pub mod condition;
mod data;
pub mod defaults;
pub mod event;
pub mod json;
pub mod kind;
pub mod name;
pub mod patch;
pub mod protobuf;
pub mod request;
pub mod schema;
pub mod selector;
pub mod table;
pub mod view;

pub use catalog::{Catalog, CrdError, bootstrap_objects};
pub use kind::{Column, Kind, Subresource};
pub use name::{Gvk, Gvr};
pub use request::{ApiRequest, ContentKind, DeleteOptions, Method, Propagation};
