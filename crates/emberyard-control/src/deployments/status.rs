//! What a deployment says of itself.

use super::{Deployment, conditions, counted};
use crate::workload::{number, set as put};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// The status that is due, and when to look again because time alone will change it.
pub(super) fn of(
    deployment: Deployment<'_>,
    new: Option<&Value>,
    all: &[&Value],
    now: Timestamp,
) -> (Value, Option<Timestamp>) {
    let sum = |field: &str| all.iter().map(|set| counted(set, field)).sum::<i64>();
    let (total, available) = (sum("replicas"), sum("availableReplicas"));
    let meant: i64 = all.iter().map(|set| super::wanted(set)).sum();
    let mut status = deployment.0["status"].clone();
    put(
        &mut status,
        &[
            ("observedGeneration", json!(deployment.meta().generation())),
            ("replicas", json!(total)),
            ("updatedReplicas", json!(new.map_or(0, |new| counted(new, "replicas")))),
            ("readyReplicas", json!(sum("readyReplicas"))),
            ("availableReplicas", json!(available)),
            ("unavailableReplicas", json!((meant - available).max(0))),
            ("collisionCount", json!(number(deployment.0, &["status", "collisionCount"]).unwrap_or(0))),
        ],
    );
    let again = conditions::put(deployment, new, &mut status, now);
    (status, again)
}
