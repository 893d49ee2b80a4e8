//! Says why: a ConfigMap with the last reasons; an Event where nodes are added for pods, where a node is removed, and
//! where a pod never fits.

use super::explain::{EXPLAIN_NAME, EXPLAIN_NAMESPACE, Explanation};
use crate::index::Index;
use crate::run::FIELD_MANAGER;
use crate::view::Key;
use emberyard_client::{Client, path};
use emberyard_model::Timestamp;
use emberyard_plan::{Plan, Reason, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What has been said already.
#[derive(Debug, Default)]
pub struct Told {
    sentences: Option<Vec<String>>,
    /// Subjects of events whose reason still holds.
    events: BTreeSet<String>,
}

/// Something worth an Event.
struct News {
    /// What it is said of, once as long as it holds.
    subject: String,
    /// The object that the Event is on.
    involved: Value,
    namespace: String,
    kind: &'static str,
    reason: &'static str,
    message: String,
}

impl Told {
    /// Says what is new. What can't be said now is said in the next round.
    pub async fn tell(&mut self, client: &Client, plan: &Plan, world: &World, pods: &Index, now: Timestamp) {
        let explanation = Explanation::of(plan, now);
        if self.sentences.as_ref() != Some(&explanation.sentences) {
            for sentence in &explanation.sentences {
                tracing::info!("{sentence}");
            }
            let at = path("", "v1", EXPLAIN_NAMESPACE, "configmaps", EXPLAIN_NAME);
            match client.apply(&at, &explanation.config_map(), FIELD_MANAGER).await {
                Ok(_) => self.sentences = Some(explanation.sentences.clone()),
                Err(error) => tracing::warn!(%error, "the fleet's reasons were not written"),
            }
        }
        let all: Vec<News> = plan.reasons.iter().filter_map(|reason| news(reason, world, pods)).collect();
        self.events.retain(|known| all.iter().any(|one| one.subject == *known));
        for one in all {
            if !self.events.insert(one.subject.clone()) {
                continue;
            }
            let at = path("", "v1", &one.namespace, "events", "");
            if let Err(error) = client.create(&at, &event(&one, now)).await {
                tracing::warn!(%error, subject = one.subject, "an event was not written");
            }
        }
    }
}

fn news(reason: &Reason, world: &World, pods: &Index) -> Option<News> {
    let message = reason.to_string();
    let (pod, kind, reason, subject) = match reason {
        Reason::NeverFits { pod, .. } => (pod, "Warning", "NeverFits", format!("{pod} never fits")),
        // One Event for a decision, on one of the pods that it is for.
        Reason::Adding { gang, .. } => {
            let waiting = world.pods.iter().find(|pod| pod.node.is_none() && pod.gang == *gang)?;
            (&waiting.id, "Normal", "NodesAdded", message.clone())
        }
        Reason::Removing { node, .. } => {
            let involved = json!({"apiVersion": "v1", "kind": "Node", "name": node, "uid": node});
            let (namespace, subject) = ("default".to_owned(), format!("{node} is removed"));
            return Some(News { subject, involved, namespace, kind: "Normal", reason: "NodeRemoved", message });
        }
        _ => return None,
    };
    let meta = &pods.get(&Key::new(&*pod.namespace, &*pod.name))?["metadata"];
    let involved = json!({
        "apiVersion": "v1", "kind": "Pod",
        "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
    });
    Some(News { subject, involved, namespace: pod.namespace.clone(), kind, reason, message })
}

fn event(News { involved, namespace, kind, reason, message, .. }: &News, now: Timestamp) -> Value {
    let time = now.rfc3339();
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}", involved["name"].as_str().unwrap_or_default(), now.0),
            "namespace": namespace,
        },
        "involvedObject": involved,
        "type": kind, "reason": reason, "message": message, "action": "Planning",
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER, "reportingInstance": FIELD_MANAGER,
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_client::WatchEvent;
    use emberyard_plan::observe;

    #[test]
    fn an_event_stands_on_what_it_is_about() {
        let object = json!({
            "metadata": {"namespace": "d", "name": "exec-1", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": []},
        });
        let pod = observe::pod(&object).unwrap();
        let adding =
            Reason::Adding { gang: pod.gang.clone(), count: 2, shape: "node".to_owned(), elsewhere: 4, pods: 6 };
        let world = World { pods: vec![pod], ..World::default() };
        let mut pods = Index::default();
        pods.apply(WatchEvent::Added(object));
        let told = news(&adding, &world, &pods).unwrap();
        assert_eq!((told.involved["uid"].as_str(), told.reason), (Some("u"), "NodesAdded"));
        let removing = Reason::Removing { node: "node-3".parse().unwrap(), since: Timestamp::from_seconds(1) };
        let told = news(&removing, &world, &pods).unwrap();
        assert_eq!((told.involved["kind"].as_str(), told.namespace.as_str()), (Some("Node"), "default"));
        assert!(news(&Reason::BelowMinimum { have: 1, min: 2 }, &world, &pods).is_none());
    }
}
