//! Nodes: started after their boot delay, cabled, given an agent; removed, killed, found dead.

use super::children::{self, Role};
use super::protocol::{Answer, NodePhase, NodeStatus};
use super::{Event, Keeper, KeeperError, start};
use crate::yard::Shape;
use crate::yard::versions::RECORDS;
use emberyard_model::NodeName;
use emberyard_sandbox::NodeHolder;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Largest number of nodes: each has a /24 of 10.42.0.0/16 and an address from 10.41.0.11 on.
const LARGEST: u8 = 200;

/// What an agent must know of its node; `nodes/NAME/node.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeFile {
    /// Version of this file.
    #[serde(default)]
    pub format: u32,
    /// The node's name.
    pub name: NodeName,
    /// Its number, from which its addresses follow.
    pub index: u8,
    /// What it declares.
    pub shape: Shape,
    /// Folders of the machine that its pods may see: path in pod specs -> path on the machine.
    pub mounts: std::collections::BTreeMap<std::path::PathBuf, std::path::PathBuf>,
}

impl NodeFile {
    /// Address in the yard.
    pub fn ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 41, 0, 10 + self.index)
    }
}

/// A node of this keeper.
pub(crate) struct Node {
    pub file: NodeFile,
    pub phase: NodePhase,
    pub holder: Option<NodeHolder>,
}

impl Node {
    pub fn status(&self) -> NodeStatus {
        NodeStatus {
            name: self.file.name.clone(),
            ip: self.file.ip(),
            phase: self.phase,
            shape: self.file.shape.clone(),
        }
    }

    /// Kills the holder, and with it every process of the node.
    pub fn kill(&self) {
        if let Some(Err(error)) = self.holder.as_ref().map(NodeHolder::kill) {
            tracing::error!(node = %self.file.name, %error, "its holder could not be killed");
        }
    }
}

impl Keeper {
    /// Brings back the nodes of the last life, and new ones up to the smallest number.
    pub(super) async fn start_fleet(&mut self) -> Result<(), KeeperError> {
        for file in start::known_nodes(&self.dir) {
            self.nodes.insert(file.name.clone(), Node { file, phase: NodePhase::Booting, holder: None });
        }
        while self.nodes.len() < self.settings.fleet.min as usize {
            self.new_node(self.settings.shape())?;
        }
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        for name in names {
            // The first nodes of a yard are its floor: nobody waits for their boot delay.
            self.boot_node(&name).await;
        }
        Ok(())
    }

    pub(super) fn add_node(&mut self, shape: Shape) -> Result<NodeStatus, KeeperError> {
        if self.nodes.len() >= self.settings.fleet.max as usize {
            return Err(KeeperError::Full(self.settings.fleet.max));
        }
        let (name, status) = self.new_node(shape)?;
        let (events, delay) = (self.events.clone(), u64::from(self.settings.fleet.boot_delay_seconds));
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(delay)).await;
            let _ = events.send(Event::BootNode(name)).await;
        });
        Ok(status)
    }

    /// Reserves a name and writes the node's folder.
    fn new_node(&mut self, shape: Shape) -> Result<(NodeName, NodeStatus), KeeperError> {
        let free = (1..=LARGEST).find(|index| !self.nodes.values().any(|node| node.file.index == *index));
        let index = free.ok_or(KeeperError::Full(u32::from(LARGEST)))?;
        let name = NodeName::new(format!("node-{index}")).map_err(|error| KeeperError::Sandbox(error.to_string()))?;
        let file = NodeFile { format: RECORDS, name: name.clone(), index, shape, mounts: self.settings.mounts.clone() };
        start::write_node(&self.dir, &file)?;
        let node = Node { file, phase: NodePhase::Booting, holder: None };
        let status = node.status();
        self.nodes.insert(name.clone(), node);
        Ok((name, status))
    }

    /// Holder, cable, agent. A step that fails leaves the node dead, for the fleet to replace.
    pub(super) async fn boot_node(&mut self, name: &NodeName) {
        let Some(node) = self.nodes.get(name).filter(|node| node.phase == NodePhase::Booting) else { return };
        let file = node.file.clone();
        let started = start::node(&self.dir, &self.yard, &file).await;
        self.replace_other_version(&Role::Agent(file.name.clone())).await;
        let Some(node) = self.nodes.get_mut(name) else { return };
        match started {
            Ok(holder) => {
                let process = holder.process.clone();
                node.holder = Some(holder);
                node.phase = NodePhase::Running;
                let (events, name) = (self.events.clone(), name.clone());
                tokio::spawn(async move {
                    children::ended(&process).await;
                    let _ = events.send(Event::NodeDied(name)).await;
                });
                self.start_child(&Role::Agent(file.name));
            }
            Err(error) => {
                tracing::error!(node = %name, %error, "could not be started");
                node.phase = NodePhase::Dead;
            }
        }
    }

    /// A dead node runs nothing: its agent is stopped before anyone is told that its pods are gone.
    pub(super) async fn node_died(&mut self, name: &NodeName) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        if node.phase != NodePhase::Running || node.holder.as_ref().is_some_and(NodeHolder::is_alive) {
            return;
        }
        tracing::warn!(node = %name, "died");
        node.phase = NodePhase::Dead;
        node.holder = None;
        self.stop_child(&Role::Agent(name.clone()), Duration::from_millis(200)).await;
    }

    pub(super) fn kill_node(&mut self, name: &NodeName) -> Answer {
        match self.nodes.get(name) {
            Some(node) => {
                node.kill();
                Answer::Done
            }
            None => Answer::Refused { why: format!("there is no node {name}") },
        }
    }

    pub(super) async fn remove_node(&mut self, name: &NodeName) -> Answer {
        let Some(node) = self.nodes.remove(name) else { return Answer::Done }; // removing twice is safe
        self.stop_child(&Role::Agent(name.clone()), Duration::from_secs(2)).await;
        node.kill();
        start::forget_node(&self.dir, &self.yard, &node.file).await;
        Answer::Done
    }
}
