//! A provider that pretends: nodes are entries of a map, faults are ordered beforehand.

use crate::error::ProviderError;
use crate::local::Launcher;
use crate::provider::{Answer, NodeClaim, NodeRequest, NodeState, Provider};
use emberyard_model::NodeName;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Inside {
    nodes: BTreeMap<NodeName, NodeClaim>,
    faults: VecDeque<ProviderError>,
    calls: Vec<String>,
}

/// Nodes in memory, up to a limit.
pub struct Memory {
    limit: u32,
    inside: Mutex<Inside>,
}

impl Memory {
    /// Without nodes, with room for `limit`.
    pub fn new(limit: u32) -> Self {
        Self { limit, inside: Mutex::default() }
    }

    /// The next call fails with `error`; several are used up in order.
    pub fn fail_next(&self, error: ProviderError) {
        self.lock().faults.push_back(error);
    }

    /// Moves a node to another state, as time would.
    pub fn set_state(&self, node: &NodeName, state: NodeState) {
        if let Some(claim) = self.lock().nodes.get_mut(node) {
            claim.state = state;
        }
    }

    /// What was asked so far, one line a call.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the call down and gives the fault that was ordered for it.
    fn enter(&self, call: String) -> Result<MutexGuard<'_, Inside>, ProviderError> {
        let mut inside = self.lock();
        inside.calls.push(call);
        match inside.faults.pop_front() {
            Some(error) => Err(error),
            None => Ok(inside),
        }
    }

    fn make(&self, request: NodeRequest) -> Result<NodeClaim, ProviderError> {
        let mut inside = self.enter(format!("launch {} {}", request.id, request.shape))?;
        if let Some(claim) = inside.nodes.values().find(|claim| claim.request == request.id) {
            return Ok(claim.clone());
        }
        let running = u32::try_from(inside.nodes.len()).unwrap_or(u32::MAX);
        let free = (1..=self.limit)
            .filter_map(|k| NodeName::new(format!("node-{k}")).ok())
            .find(|name| !inside.nodes.contains_key(name))
            .ok_or(ProviderError::Full { running, limit: self.limit })?;
        let NodeRequest { id, shape, resources, labels: _ } = request;
        let claim = NodeClaim { name: free.clone(), request: id, shape, resources, state: NodeState::Booting };
        inside.nodes.insert(free, claim.clone());
        Ok(claim)
    }
}

impl Provider for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn launch(&self, request: NodeRequest) -> Answer<'_, NodeClaim> {
        Box::pin(async move { self.make(request) })
    }

    fn terminate(&self, node: NodeName) -> Answer<'_, ()> {
        Box::pin(async move {
            self.enter(format!("terminate {node}"))?.nodes.remove(&node);
            Ok(())
        })
    }

    fn list(&self) -> Answer<'_, Vec<NodeClaim>> {
        Box::pin(async move { Ok(self.enter("list".to_owned())?.nodes.values().cloned().collect()) })
    }
}

/// The same as a keeper, so that one test suite covers `local` too.
impl Launcher for Memory {
    fn add(&self, request: NodeRequest) -> Answer<'_, NodeClaim> {
        Box::pin(async move {
            // A keeper knows no request ids.
            let calls = self.calls().len();
            self.make(NodeRequest { id: format!("{}#{calls}", request.id), ..request })
        })
    }

    fn remove(&self, node: NodeName) -> Answer<'_, ()> {
        Provider::terminate(self, node)
    }

    fn list(&self) -> Answer<'_, Vec<NodeClaim>> {
        Provider::list(self)
    }
}
