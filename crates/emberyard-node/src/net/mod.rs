//! The network of yard, nodes and pods: bridges, veth pairs, addresses, routes, outbound rules.

pub mod address;
pub mod fault;
pub mod ipam;
mod links;
mod nft;
pub mod node;
pub mod pod;
mod sysctl;
mod thread;
pub mod yard;
