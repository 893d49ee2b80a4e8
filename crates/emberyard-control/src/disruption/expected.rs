//! How many pods there should be, and how many of them in good health.

use crate::index::Index;
use crate::resources;
use crate::workload::amount::{self, Round, is_percent};
use crate::workload::number;
use emberyard_object::view::{Meta, at};
use serde_json::Value;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub pods: i64,
    pub healthy: i64,
}

/// What a budget demands of its pods; `Err` says why that can't be told.
pub(super) fn expected(budget: &Value, pods: &[&Value], index: &Index) -> Result<Expected, String> {
    let there = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let given = |limit: &str| at(budget, &["spec", limit]).filter(|value| !value.is_null());
    let part = |value: &Value, total: i64| {
        amount::of(value, total, Round::Up).ok_or_else(|| format!("{value} is neither a number nor a percentage"))
    };
    if let Some(most) = given("maxUnavailable") {
        let scale = scale(pods, index)?;
        return Ok(Expected { pods: scale, healthy: (scale - part(most, scale)?).max(0) });
    }
    match given("minAvailable") {
        Some(least) if is_percent(least) => {
            let scale = scale(pods, index)?;
            Ok(Expected { pods: scale, healthy: part(least, scale)? })
        }
        Some(least) => Ok(Expected { pods: there, healthy: part(least, there)? }),
        None => Ok(Expected { pods: there, healthy: 0 }),
    }
}

/// The pods that the controllers of these pods are to have together. Pods without a controller do not count.
fn scale(pods: &[&Value], index: &Index) -> Result<i64, String> {
    let mut scales: BTreeMap<&str, i64> = BTreeMap::new();
    for pod in pods {
        let Some(owner) = Meta(pod).controller() else { continue };
        let unknown = || format!("found no controllers for pod {:?}", Meta(pod).name());
        let (_, mut found) = index.by_uid(owner.uid).ok_or_else(unknown)?;
        // A deployment's replica sets share its pods.
        if let Some((id, over)) = Meta(found).controller().and_then(|owner| index.by_uid(owner.uid))
            && id.resource == resources::deployments()
        {
            found = over;
        }
        let replicas = number(found, &["spec", "replicas"]).ok_or_else(unknown)?;
        scales.insert(Meta(found).uid(), replicas);
    }
    Ok(scales.values().sum())
}
