//! A NetworkPolicy object.

use super::{Block, Ports, Protocol};
use emberyard_object::selector::LabelSelector;
use serde_json::Value;

/// A NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its namespace, and that of the pods it is about.
    pub(super) namespace: String,
    /// The pods that it is about.
    pub(super) pods: LabelSelector,
    /// What may come in; `None` where it says nothing of that.
    pub(super) ingress: Option<Vec<Opening>>,
    /// What may go out, likewise.
    pub(super) egress: Option<Vec<Opening>>,
}

/// Connections with any of these peers to any of these ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// `None` for everybody.
    pub(super) peers: Option<Vec<Peer>>,
    /// `None` for all ports of all protocols.
    pub(super) ports: Option<Vec<Port>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// These addresses.
    Blocks(Vec<Block>),
    /// Those pods of those namespaces; `None` for the policy's own, and for all of their pods.
    Pods { namespaces: Option<LabelSelector>, pods: Option<LabelSelector> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    Range(Ports),
    Named(Protocol, String),
}

impl Policy {
    /// Reads a NetworkPolicy object as an API server has checked it; `None` for one that no API server would have taken.
    pub fn read(object: &Value) -> Option<Self> {
        let spec = &object["spec"];
        let about = |what: &str| spec["policyTypes"].as_array().is_some_and(|all| all.iter().any(|one| one == what));
        let openings = |list: &str, peers: &str| -> Vec<Opening> {
            spec[list].as_array().into_iter().flatten().map(|rule| opening(rule, peers)).collect()
        };
        Some(Self {
            namespace: object["metadata"]["namespace"].as_str()?.to_owned(),
            pods: LabelSelector::from_json(&spec["podSelector"]).ok()?.unwrap_or_default(),
            ingress: about("Ingress").then(|| openings("ingress", "from")),
            egress: about("Egress").then(|| openings("egress", "to")),
        })
    }
}

/// What cannot be read opens nothing. An empty list means the same as none.
fn opening(rule: &Value, peers: &str) -> Opening {
    let list = |name: &str| rule[name].as_array().filter(|list| !list.is_empty());
    Opening {
        peers: list(peers).map(|all| all.iter().filter_map(peer).collect()),
        ports: list("ports").map(|all| all.iter().filter_map(port).collect()),
    }
}

fn peer(value: &Value) -> Option<Peer> {
    let block = &value["ipBlock"];
    if block.is_object() {
        let whole = Block::read(block["cidr"].as_str()?)?;
        let holes = block["except"].as_array().into_iter().flatten().filter_map(|hole| Block::read(hole.as_str()?));
        let left = holes.fold(vec![whole], |left, hole| left.into_iter().flat_map(|part| part.without(hole)).collect());
        return Some(Peer::Blocks(left));
    }
    let selector = |name: &str| LabelSelector::from_json(&value[name]).ok();
    Some(Peer::Pods { namespaces: selector("namespaceSelector")?, pods: selector("podSelector")? })
}

fn port(value: &Value) -> Option<Port> {
    let protocol = Protocol::read(value["protocol"].as_str())?;
    let number = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
    match &value["port"] {
        Value::Null => Some(Port::Range(Ports { protocol, first: 0, last: u16::MAX })),
        Value::String(name) => Some(Port::Named(protocol, name.clone())),
        first => {
            let first = number(first)?;
            let last = number(&value["endPort"]).unwrap_or(first);
            (first <= last).then_some(Port::Range(Ports { protocol, first, last }))
        }
    }
}
