//! Says why: a ConfigMap with the last reasons, an Event on a pod that never fits.

use super::explain::{EXPLAIN_NAME, EXPLAIN_NAMESPACE, Explanation};
use crate::index::Index;
use crate::run::FIELD_MANAGER;
use crate::view::Key;
use emberyard_client::{Client, path};
use emberyard_model::Timestamp;
use emberyard_plan::{Plan, PodId, Reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What has been said already.
#[derive(Debug, Default)]
pub struct Told {
    sentences: Option<Vec<String>>,
    pods: BTreeSet<PodId>,
}

impl Told {
    /// Says what is new. What can't be said now is said in the next round.
    pub async fn tell(&mut self, client: &Client, plan: &Plan, pods: &Index, now: Timestamp) {
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
        let misfits: Vec<_> = plan
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::NeverFits { pod, .. } => Some((pod, reason.to_string())),
                _ => None,
            })
            .collect();
        self.pods.retain(|known| misfits.iter().any(|(pod, _)| *pod == known));
        for (pod, sentence) in misfits {
            let Some(object) = pods.get(&Key::new(&*pod.namespace, &*pod.name)) else { continue };
            if self.pods.insert(pod.clone()) {
                let event = event(object, &sentence, now);
                if let Err(error) = client.create(&path("", "v1", &pod.namespace, "events", ""), &event).await {
                    tracing::warn!(%error, %pod, "an event was not written");
                }
            }
        }
    }
}

fn event(pod: &Value, message: &str, now: Timestamp) -> Value {
    let meta = &pod["metadata"];
    let time = now.rfc3339();
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}", meta["name"].as_str().unwrap_or_default(), now.0),
            "namespace": meta["namespace"],
        },
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod",
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
        },
        "type": "Warning", "reason": "NeverFits", "message": message, "action": "Planning",
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER, "reportingInstance": FIELD_MANAGER,
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    })
}
