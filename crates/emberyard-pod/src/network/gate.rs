//! What all policies together leave open for one pod.

use super::policy::{Opening, Peer, Port};
use super::{Block, Member, Policy, Ports, Protocol};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// One thing that is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opened {
    /// The other side.
    pub peer: Block,
    /// The ports of whoever is connected to; `None` for everything.
    pub ports: Option<Ports>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Gate {
    /// No policy says anything: everything is let through.
    #[default]
    Open,
    /// Only this is.
    Only(BTreeSet<Opened>),
}

impl Gate {
    fn admits(&self, peer: Ipv4Addr, protocol: Protocol, port: u16) -> bool {
        match self {
            Self::Open => true,
            Self::Only(opened) => opened
                .iter()
                .any(|one| one.peer.contains(peer) && one.ports.is_none_or(|ports| ports.contain(protocol, port))),
        }
    }
}

/// Both directions of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gates {
    /// What comes in.
    pub ingress: Gate,
    /// What goes out.
    pub egress: Gate,
}

#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

/// What decides who may connect to whom.
#[derive(Debug, Clone, Default)]
pub struct Network<'a> {
    /// All network policies.
    pub policies: Vec<&'a Policy>,
    /// The labels of all namespaces, by name.
    pub namespaces: BTreeMap<&'a str, &'a Value>,
    /// All pods.
    pub members: Vec<&'a Member>,
}

impl Network<'_> {
    /// What is left open for a pod.
    pub fn gates(&self, pod: &Member) -> Gates {
        Gates { ingress: self.gate(Way::In, pod), egress: self.gate(Way::Out, pod) }
    }

    /// Whether a connection is let out of the pod that has the first address and into the one that has the second; who is no
    /// pod has no gates.
    pub fn permits(&self, (from, to): (Ipv4Addr, Ipv4Addr), protocol: Protocol, port: u16) -> bool {
        let pod = |address: Ipv4Addr| self.members.iter().find(|member| member.address == address);
        pod(from).is_none_or(|pod| self.gate(Way::Out, pod).admits(to, protocol, port))
            && pod(to).is_none_or(|pod| self.gate(Way::In, pod).admits(from, protocol, port))
    }

    fn gate(&self, way: Way, pod: &Member) -> Gate {
        let about = self
            .policies
            .iter()
            .filter(|policy| policy.namespace == pod.namespace && policy.pods.matches_labels(&pod.labels));
        let mut all = about
            .filter_map(|policy| match way {
                Way::In => policy.ingress.as_ref(),
                Way::Out => policy.egress.as_ref(),
            })
            .peekable();
        if all.peek().is_none() {
            return Gate::Open;
        }
        Gate::Only(all.flatten().flat_map(|opening| self.through(opening, way, pod)).collect())
    }

    fn through(&self, opening: &Opening, way: Way, pod: &Member) -> Vec<Opened> {
        // Ports are those of whoever is connected to. A name is known only where that is a pod.
        let with = |peer: Block, other: Option<&Member>| -> Vec<Opened> {
            let Some(all) = &opening.ports else { return vec![Opened { peer, ports: None }] };
            let server = match way {
                Way::In => Some(pod),
                Way::Out => other,
            };
            let known = all.iter().filter_map(|port| match port {
                Port::Range(ports) => Some(*ports),
                Port::Named(protocol, name) => server?.port(*protocol, name),
            });
            known.map(|ports| Opened { peer, ports: Some(ports) }).collect()
        };
        let Some(peers) = &opening.peers else { return with(Block::ALL, None) };
        let of_peer = |peer: &Peer| -> Vec<Opened> {
            match peer {
                Peer::Blocks(blocks) => blocks.iter().flat_map(|block| with(*block, None)).collect(),
                Peer::Pods { namespaces, pods } => {
                    let chosen = self.members.iter().filter(|other| {
                        let there = match namespaces {
                            None => other.namespace == pod.namespace,
                            Some(wanted) => self
                                .namespaces
                                .get(other.namespace.as_str())
                                .is_some_and(|labels| wanted.matches_labels(labels)),
                        };
                        there && pods.as_ref().is_none_or(|pods| pods.matches_labels(&other.labels))
                    });
                    chosen.flat_map(|other| with(Block::of(other.address), Some(other))).collect()
                }
            }
        };
        peers.iter().flat_map(of_peer).collect()
    }
}
