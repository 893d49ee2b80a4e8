//! One writer: the lease that an operator must hold before it changes anything.

use crate::config::OperatorConfig;
use emberyard_client::{ApiError, ContentKind};
use emberyard_model::Timestamp;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;

const COLLECTION: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const NAME: &str = "emberyard-operator";
/// As long as a holder may be silent.
const DURATION: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);

/// Holds the lease as well as it can and tells the loops, until the end. Given back on the way out.
pub async fn hold(config: OperatorConfig, leading: watch::Sender<bool>) {
    let mut renewed = Timestamp::default();
    loop {
        let now = (config.clock)();
        match take(&config, now).await {
            Ok(held) => {
                renewed = if held { now } else { Timestamp::default() };
                leading.send_if_modified(|was| std::mem::replace(was, held) != held);
            }
            Err(error) => {
                tracing::debug!(%error, "lease");
                // Without an answer the lease lasts as long as it was promised, not longer.
                if now.since(renewed) >= DURATION {
                    leading.send_if_modified(|was| std::mem::replace(was, false));
                }
            }
        }
        let pause = if *leading.borrow() { RENEW } else { Duration::from_secs(1) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = config.shutdown.cancelled() => break,
        }
    }
    if leading.send_replace(false) {
        drop(give_back(&config).await);
    }
}

async fn take(config: &OperatorConfig, now: Timestamp) -> Result<bool, ApiError> {
    let path = format!("{COLLECTION}/{NAME}");
    let Some(found) = config.client.find(&path).await? else {
        let lease = claim(&json!({"metadata": {"name": NAME, "namespace": "kube-system"}}), &config.identity, now);
        return match config.client.create(COLLECTION, &lease).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        };
    };
    if !free(&found, &config.identity, now) {
        return Ok(false);
    }
    // The resource version in the object makes this fail if somebody else was faster.
    let lease = claim(&found, &config.identity, now);
    match config.client.request(Method::PUT, &path, &[], Some(&lease), ContentKind::Json).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_conflict() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn give_back(config: &OperatorConfig) -> Result<Value, ApiError> {
    let patch = json!({"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}});
    config.client.patch(&format!("{COLLECTION}/{NAME}"), &patch, ContentKind::MergePatch).await
}

/// Whether this identity may take the lease: it is its own, nobody's, or its time is up.
fn free(lease: &Value, identity: &str, now: Timestamp) -> bool {
    let spec = &lease["spec"];
    let holder = spec["holderIdentity"].as_str().unwrap_or_default();
    let seconds = spec["leaseDurationSeconds"].as_u64().unwrap_or(0);
    let renewed = spec["renewTime"].as_str().and_then(|time| Timestamp::parse(time).ok());
    holder.is_empty()
        || holder == identity
        || renewed.is_none_or(|renewed| now.since(renewed) > Duration::from_secs(seconds))
}

fn claim(found: &Value, identity: &str, now: Timestamp) -> Value {
    let mut lease = found.clone();
    let spec = &found["spec"];
    let mine = spec["holderIdentity"] == identity;
    let changes = spec["leaseTransitions"].as_u64().unwrap_or(0) + u64::from(!mine && !spec.is_null());
    let acquired = if mine { spec["acquireTime"].clone() } else { Value::from(now.rfc3339_micro()) };
    lease["apiVersion"] = json!("coordination.k8s.io/v1");
    lease["kind"] = json!("Lease");
    lease["spec"] = json!({
        "holderIdentity": identity,
        "leaseDurationSeconds": DURATION.as_secs(),
        "acquireTime": acquired,
        "renewTime": now.rfc3339_micro(),
        "leaseTransitions": changes,
    });
    lease
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_take_it() {
        let now = Timestamp::from_seconds(1000);
        let fresh = claim(&json!({}), "a", now);
        assert!(free(&fresh, "a", now));
        assert!(!free(&fresh, "b", now.plus(DURATION)));
        assert!(free(&fresh, "b", now.plus(DURATION + Duration::from_secs(1))));
        let taken = claim(&fresh, "b", now);
        assert_eq!(
            (taken["spec"]["holderIdentity"].as_str(), taken["spec"]["leaseTransitions"].as_u64()),
            (Some("b"), Some(1))
        );
        assert_eq!(claim(&taken, "b", now)["spec"]["leaseTransitions"], 1);
        assert!(free(&json!({"spec": {"holderIdentity": ""}}), "c", now));
    }
}
