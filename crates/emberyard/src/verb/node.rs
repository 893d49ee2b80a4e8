//! `node`: list, drain, kill.

use crate::cli::{Form, NodeVerb};
use crate::error::Failure;
use crate::keeper::protocol::{Answer, Ask, ask};
use crate::output::{self, Listing};
use crate::verb::{drain, status};
use crate::yard::YardDir;
use serde::Serialize;
use std::time::Duration;

/// Runs the verb.
pub async fn run(dir: &YardDir, verb: &NodeVerb, form: Form) -> Result<(), Failure> {
    match verb {
        NodeVerb::List => {
            let nodes = Nodes { items: status::nodes(dir).await? };
            Ok(output::listing(form, &nodes)?)
        }
        NodeVerb::Drain { name } => drain::run(dir, name.as_str()).await,
        NodeVerb::Kill { name } => {
            match ask(&dir.keeper_socket(), &Ask::NodeKill { name: name.clone() }, Duration::from_secs(20)) {
                Ok(Answer::Done) => Ok(()),
                Ok(Answer::Refused { why }) => Err(Failure::Keeper(why)),
                Ok(_) => Err(Failure::Keeper("an answer to another question".to_owned())),
                Err(_) => Err(Failure::NoYard(dir.path().to_path_buf())),
            }
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Nodes {
    items: Vec<status::Node>,
}

impl Listing for Nodes {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["NAME", "PHASE", "PODS", "CPU", "MEMORY", "IP"], 5)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |node: &status::Node| {
            vec![
                node.name.clone(),
                node.phase.clone(),
                node.pods.to_string(),
                node.cpu.clone(),
                node.memory.clone(),
                node.ip.clone(),
            ]
        };
        self.items.iter().map(row).collect()
    }
}
