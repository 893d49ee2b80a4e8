//! The read-only page of the whole yard: nodes, pods, sessions, who waits for what.
//!
//! It shows no secrets and changes nothing. Whoever may read it has the token of a secret that the gateway makes once;
//! `emberyard up` prints the link.

mod html;
mod look;
mod token;

pub use html::page;
pub use look::look;
pub use token::{TOKEN_NAME, TOKEN_NAMESPACE, ensure as ensure_token};

use emberyard_model::SessionStatus;
use futures::future::BoxFuture;
use serde::Serialize;
use std::sync::Arc;

/// Path of the page; the same with `.json` is for machines.
pub const PATH: &str = "/yard";

/// Where an overview comes from: asked anew for each page.
pub type Source = Arc<dyn Fn() -> BoxFuture<'static, Result<Overview, String>> + Send + Sync>;

/// The yard at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Overview {
    /// Nodes, by name.
    pub nodes: Vec<Node>,
    /// Notebooks, by namespace and name.
    pub notebooks: Vec<Notebook>,
    /// Pods, by namespace and name.
    pub pods: Vec<Pod>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// `ready`, `not ready` or `draining`.
    pub state: &'static str,
    /// CPUs that it declares.
    pub cpu: String,
    /// Memory that it declares.
    pub memory: String,
    /// Pods on it that are not over.
    pub pods: usize,
}

/// A notebook and its Spark sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notebook {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Phase of its status.
    pub phase: String,
    /// Sessions of its status.
    pub sessions: Vec<SessionStatus>,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pod {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Its phase, or `Terminating`.
    pub phase: String,
    /// Its node; none while it waits for one.
    pub node: Option<String>,
}
