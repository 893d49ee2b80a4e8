//! The keeper as a launcher of nodes, for the `local` provider.

use crate::keeper::protocol::{Answer, Ask, NodePhase, NodeStatus, Stage, ask};
use crate::yard::Shape;
use emberyard_cloud::{Answer as Later, Launcher, NodeClaim, NodeRequest, NodeState, ProviderError};
use emberyard_model::{Bytes, Cpu, NodeName, Quantity, Resources};
use std::path::PathBuf;
use std::time::Duration;

/// The keeper answers at once; it boots nodes in its own time.
const PATIENCE: Duration = Duration::from_secs(30);
/// The one shape of a yard's nodes.
pub const SHAPE: &str = "node";

/// Speaks to the keeper over its socket.
pub struct Keeper {
    /// The socket.
    pub socket: PathBuf,
}

impl Keeper {
    async fn ask(&self, question: Ask) -> Result<Answer, ProviderError> {
        let socket = self.socket.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&socket, &question, PATIENCE)).await;
        match answer {
            Ok(Ok(Answer::Refused { why })) => Err(ProviderError::NoCapacity { shape: SHAPE.to_owned(), message: why }),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(ProviderError::Unreachable(error.to_string())),
            Err(error) => Err(ProviderError::Unreachable(error.to_string())),
        }
    }
}

fn unexpected() -> ProviderError {
    ProviderError::Unreachable("the keeper answered another question".to_owned())
}

impl Launcher for Keeper {
    fn add(&self, request: NodeRequest) -> Later<'_, NodeClaim> {
        Box::pin(async move {
            let amount = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let shape = Shape {
                cpu: Quantity::from_milli(amount(request.resources.cpu.0)),
                memory: Quantity::from_units(amount(request.resources.memory.0)),
            };
            match self.ask(Ask::NodeAdd { shape }).await? {
                Answer::Node(node) => Ok(NodeClaim { request: request.id, ..claim(&node) }),
                _ => Err(unexpected()),
            }
        })
    }

    fn remove(&self, node: NodeName) -> Later<'_, ()> {
        Box::pin(async move { self.ask(Ask::NodeRemove { name: node }).await.map(drop) })
    }

    fn list(&self) -> Later<'_, Vec<NodeClaim>> {
        Box::pin(async move {
            match self.ask(Ask::Status).await? {
                // A keeper that still starts knows none of its nodes: nothing may be decided on that.
                Answer::Status(status) if status.stage != Stage::Running => {
                    Err(ProviderError::Unreachable("the yard is starting or stopping".to_owned()))
                }
                Answer::Status(status) => Ok(status.nodes.iter().map(claim).collect()),
                _ => Err(unexpected()),
            }
        })
    }
}

fn claim(node: &NodeStatus) -> NodeClaim {
    let state = match node.phase {
        NodePhase::Booting => NodeState::Booting,
        NodePhase::Running => NodeState::Running,
        NodePhase::Dead => NodeState::Dead,
    };
    NodeClaim {
        name: node.name.clone(),
        request: String::new(),
        shape: SHAPE.to_owned(),
        resources: resources(&node.shape),
        state,
    }
}

/// What a shape offers to pods.
pub fn resources(shape: &Shape) -> Resources {
    Resources {
        cpu: Cpu(shape.cpu.milli().unsigned_abs()),
        memory: Bytes(shape.memory.units().unsigned_abs()),
        pods: crate::verb::node_agent::MOST_PODS,
    }
}
