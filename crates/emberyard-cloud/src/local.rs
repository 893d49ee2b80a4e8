//! Nodes of this machine: the keeper makes them, this asks it.

use crate::error::ProviderError;
use crate::provider::{Answer, NodeClaim, NodeRequest, Provider};
use emberyard_model::NodeName;
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// The keeper's door. The binary hands one in; it speaks over the control socket.
pub trait Launcher: Send + Sync {
    /// Makes a node; returns as soon as it has a name.
    fn add(&self, request: NodeRequest) -> Answer<'_, NodeClaim>;
    /// Takes a node away, its holder killed.
    fn remove(&self, node: NodeName) -> Answer<'_, ()>;
    /// All nodes of this yard.
    fn list(&self) -> Answer<'_, Vec<NodeClaim>>;
}

/// The provider of one machine.
pub struct Local<L> {
    launcher: L,
    /// Requests answered in this life. The keeper need not know request ids: one operator asks, one request at a time.
    answered: Mutex<BTreeMap<String, NodeName>>,
}

impl<L: Launcher> Local<L> {
    /// Over a keeper.
    pub fn new(launcher: L) -> Self {
        Self { launcher, answered: Mutex::default() }
    }
}

impl<L: Launcher> Provider for Local<L> {
    fn name(&self) -> &'static str {
        "local"
    }

    fn launch(&self, request: NodeRequest) -> Answer<'_, NodeClaim> {
        Box::pin(async move {
            let mut answered = self.answered.lock().await;
            if let Some(name) = answered.get(&request.id)
                && let Some(claim) = self.launcher.list().await?.into_iter().find(|claim| claim.name == *name)
            {
                return Ok(claim);
            }
            let id = request.id.clone();
            let claim = self.launcher.add(request).await?;
            answered.retain(|_, name| *name != claim.name); // names are used again, old requests are not
            answered.insert(id, claim.name.clone());
            Ok::<_, ProviderError>(claim)
        })
    }

    fn terminate(&self, node: NodeName) -> Answer<'_, ()> {
        Box::pin(async move {
            self.launcher.remove(node.clone()).await?;
            self.answered.lock().await.retain(|_, name| *name != node);
            Ok(())
        })
    }

    fn list(&self) -> Answer<'_, Vec<NodeClaim>> {
        Box::pin(async move {
            let mut claims = self.launcher.list().await?;
            claims.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(claims)
        })
    }
}
