//! What executors wait for, in the words of whoever knows best: the fleet, the scheduler, the node.

use crate::{GangId, NodeState, Plan, PodId, Reason, World};
use emberyard_model::fit::Demand;
use emberyard_model::{NodeName, Timestamp, Waiting};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// What the fleet can say to those who wait.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outlook {
    /// The reasons of the last plan.
    pub reasons: Vec<Reason>,
    /// Nodes on their way.
    pub booting: Vec<Booting>,
}

/// A node on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booting {
    /// Its name.
    pub node: NodeName,
    /// What it will have.
    pub allocatable: Demand,
    /// When it should be ready; none while no boot of this fleet has been seen.
    pub expected: Option<Timestamp>,
}

impl Outlook {
    /// From a plan and the world it was made for; `boot` is how long nodes of this fleet were seen to take.
    pub fn new(plan: &Plan, world: &World, boot: Option<Duration>) -> Self {
        let booting = world.nodes.iter().filter_map(|node| match node.state {
            NodeState::Booting { since } => Some(Booting {
                node: node.name.clone(),
                allocatable: node.allocatable.clone(),
                expected: boot.map(|boot| since.plus(boot)),
            }),
            _ => None,
        });
        Self { reasons: plan.reasons.clone(), booting: booting.collect() }
    }

    /// What the fleet says of one pod of a gang, beginning with what is worst.
    fn of(&self, pod: &PodId, gang: &GangId, alike: &Value) -> Option<Waiting> {
        let never = self.reasons.iter().find(|reason| match reason {
            Reason::NeverFits { pod: example, asked, .. } => {
                example == pod || (example.namespace == pod.namespace && *asked == asks(alike))
            }
            _ => false,
        });
        if let Some(reason) = never {
            return Some(Waiting { why: sentence_of_misfit(reason), never: true, ..Waiting::default() });
        }
        let of_gang = |reason: &&Reason| match reason {
            Reason::Gathering { gang: of, .. } => of == gang,
            Reason::Adding { gang: of, .. } | Reason::AtMaximum { gang: of, .. } | Reason::Fits { gang: of, .. } => {
                of.as_ref() == Some(gang)
            }
            Reason::Waiting { pod: of, .. } => of == pod,
            _ => false,
        };
        let reasons: Vec<&Reason> = self.reasons.iter().filter(of_gang).collect();
        let said = |why: String| Some(Waiting { why, ..Waiting::default() });
        if let Some(Reason::Waiting { what, .. }) = reasons.iter().find(|one| matches!(one, Reason::Waiting { .. })) {
            return said(format!("it waits for {what}."));
        }
        if let Some(boot) = self.boot(&reasons) {
            return Some(boot);
        }
        if let Some(Reason::AtMaximum { max, .. }) = reasons.iter().find(|one| matches!(one, Reason::AtMaximum { .. }))
        {
            return said(format!(
                "no room, and the fleet may have no more than {max} nodes. It goes on when another session ends; \
                 `emberyard up --nodes MIN..MAX` allows more nodes."
            ));
        }
        if reasons.iter().any(|one| matches!(one, Reason::Gathering { .. })) {
            return said("no room; nodes are chosen as soon as all executors have been asked for.".to_owned());
        }
        None
    }

    /// Nodes that boot for these reasons' gang.
    fn boot(&self, reasons: &[&Reason]) -> Option<Waiting> {
        let coming = reasons.iter().any(|reason| {
            matches!(reason, Reason::Adding { .. }) || matches!(reason, Reason::Fits { booting, .. } if *booting > 0)
        });
        if !coming {
            return None;
        }
        let names: Vec<&str> = self.booting.iter().map(|one| one.node.as_str()).collect();
        let why = match names.as_slice() {
            [] => "no room; nodes are being added.".to_owned(),
            [one] => format!("no room; node {one} boots."),
            several => format!("no room; nodes {} boot.", several.join(", ")),
        };
        let expected = self.booting.iter().filter_map(|one| one.expected).max();
        Some(Waiting { why, expected: expected.map(Timestamp::rfc3339), ..Waiting::default() })
    }
}

/// What a pod object asks of its node.
fn asks(pod: &Value) -> Demand {
    emberyard_model::fit::pod_demand(&pod["spec"])
}

/// The reason's own words without the pod's name, which the reader of a group does not need.
fn sentence_of_misfit(reason: &Reason) -> String {
    let text = reason.to_string();
    text.split_once(" can never run: ").map_or(text.clone(), |(_, rest)| format!("it can never run: {rest}"))
}

/// Executors that wait, grouped by what they wait for, in the order of their names.
pub fn waiting(pods: &[&Value], outlook: &Outlook) -> Vec<Waiting> {
    let mut groups: Vec<Waiting> = Vec::new();
    for pod in pods {
        let Some(mut one) = wait_of(pod, outlook) else { continue };
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match groups.iter_mut().find(|group| group.why == one.why && group.expected == one.expected) {
            Some(group) => group.pods.push(name),
            None => {
                one.pods.push(name);
                groups.push(one);
            }
        }
    }
    groups
}

fn wait_of(pod: &Value, outlook: &Outlook) -> Option<Waiting> {
    let (meta, status) = (&pod["metadata"], &pod["status"]);
    if !matches!(status["phase"].as_str(), None | Some("" | "Pending")) || meta["deletionTimestamp"].is_string() {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = |why: String| Some(Waiting { why, ..Waiting::default() });
    if let Some(node) = pod["spec"]["nodeName"].as_str() {
        return said(on_node(node, status));
    }
    let id = PodId { namespace: text(&meta["namespace"]), name: text(&meta["name"]) };
    let gang = GangId(format!("{}/{}", id.namespace, text(&meta["labels"][crate::observe::GANG_LABEL])));
    if let Some(known) = outlook.of(&id, &gang, pod) {
        return Some(known);
    }
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let scheduled = conditions.clone().find(|one| one["type"] == "PodScheduled" && one["status"] == "False");
    said(match scheduled.map(|one| text(&one["message"])).filter(|message| !message.is_empty()) {
        Some(message) => format!("no node takes it: {message}"),
        None => "a node is being chosen.".to_owned(),
    })
}

/// What happens on its node: the container's own complaint, else its start.
fn on_node(node: &str, status: &Value) -> String {
    for container in status["containerStatuses"].as_array().into_iter().flatten() {
        let waiting = &container["state"]["waiting"];
        let reason = waiting["reason"].as_str().unwrap_or_default();
        if let Some(message) = waiting["message"].as_str().filter(|message| !message.is_empty()) {
            return format!("{reason} on {node}: {message}");
        }
    }
    format!("it is being started on {node}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, spec: Value, status: Value) -> Value {
        json!({"metadata": {"namespace": "d", "name": name, "labels": {"spark-app-selector": "app"}}, "spec": spec, "status": status})
    }

    fn unscheduled(name: &str) -> Value {
        let condition = json!({"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available: 2 Insufficient cpu."});
        pod(name, json!({}), json!({"phase": "Pending", "conditions": [condition]}))
    }

    fn told(pods: &[Value], outlook: &Outlook) -> Vec<String> {
        let groups = waiting(&pods.iter().collect::<Vec<_>>(), outlook);
        let line = |group: &Waiting| {
            let expected = group.expected.as_deref().map(|at| format!(" [{at}]")).unwrap_or_default();
            format!("{group}{expected}{}", if group.never { " [never]" } else { "" })
        };
        groups.iter().map(line).collect()
    }

    #[test]
    fn what_a_pod_says_of_itself() {
        let pulling = json!({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "the image x is not known"}}}]});
        let pods = [
            unscheduled("e-1"),
            unscheduled("e-2"),
            pod("e-3", json!({"nodeName": "node-1"}), json!({"phase": "Pending"})),
            pod("e-4", json!({"nodeName": "node-1"}), pulling),
            pod("e-5", json!({}), json!({})),
            pod("e-6", json!({"nodeName": "node-1"}), json!({"phase": "Running"})),
            pod("e-7", json!({"nodeName": "node-1"}), json!({"phase": "Failed"})),
        ];
        assert_eq!(
            told(&pods, &Outlook::default()),
            [
                "2 executors wait: no node takes it: 0/2 nodes are available: 2 Insufficient cpu.",
                "e-3 waits: it is being started on node-1.",
                "e-4 waits: ErrImagePull on node-1: the image x is not known",
                "e-5 waits: a node is being chosen.",
            ]
        );
    }

    #[test]
    fn what_the_fleet_says_comes_first() {
        let gang = Some(GangId("d/app".into()));
        let node = Booting {
            node: NodeName::new("node-3").unwrap(),
            allocatable: Demand::default(),
            expected: Some(Timestamp::from_seconds(65)),
        };
        let adding = Reason::Adding { gang: gang.clone(), count: 1, shape: "local".into(), elsewhere: 0, pods: 1 };
        let full = Reason::AtMaximum { gang: gang.clone(), pods: 1, max: 4 };
        let gathering = Reason::Gathering { gang: GangId("d/app".into()), seen: 1, until: Timestamp::from_seconds(1) };
        let never = Reason::NeverFits {
            pod: PodId { namespace: "d".into(), name: "e-1".into() },
            alike: 2,
            asked: Demand::from_list(&json!({"cpu": "64"})),
            nearest: Some("local".into()),
            holds: Demand::from_list(&json!({"cpu": "4"})),
            lacks: vec![],
        };
        let other = Reason::AtMaximum { gang: Some(GangId("d/another".into())), pods: 1, max: 4 };
        let say = |reasons: &[&Reason], booting: &[&Booting]| {
            let outlook = Outlook {
                reasons: reasons.iter().map(|&one| one.clone()).collect(),
                booting: booting.iter().map(|&one| one.clone()).collect(),
            };
            told(&[unscheduled("e-1")], &outlook).remove(0)
        };
        assert_eq!(say(&[&adding, &full], &[&node]), "e-1 waits: no room; node node-3 boots. [1970-01-01T00:01:05Z]");
        assert_eq!(say(&[&adding], &[]), "e-1 waits: no room; nodes are being added.");
        assert!(say(&[&full], &[]).contains("no more than 4 nodes"));
        assert!(say(&[&gathering], &[]).contains("as soon as all executors"));
        assert!(say(&[&other], &[&node]).contains("Insufficient cpu"));
        let misfit = say(&[&never, &full], &[]);
        assert!(misfit.contains("it can never run: asked are cpu 64") && misfit.ends_with("[never]"), "{misfit}");
    }
}
