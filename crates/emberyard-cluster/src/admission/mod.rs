//! What the server adds to and demands of objects beyond their schema.
//!
//! Each file is one rule or one kind's rules; the tables below say which apply where.

mod claim;
mod common;
mod immutable;
mod namespace;
pub(crate) mod node_restriction;
mod pod;
mod pod_account;
mod pod_rules;
mod rbac;
mod secret;
mod service;
mod service_ip;
mod workload;

use crate::call::{Call, Place};
use crate::crd;
use crate::failure::Outcome;
use emberyard_object::schema::Cause;
use serde_json::{Value, json};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    UpdateStatus,
    Delete,
}

/// Fills in what the server decides. `old` is the live object of an update; both are as the request's kind has them.
pub(crate) fn mutate(
    call: &mut Call<'_>,
    at: &Place,
    operation: Operation,
    old: Option<&Value>,
    object: &mut Value,
) -> Outcome<()> {
    if operation == Operation::Create {
        namespace::must_be_open(call, at, object)?;
    }
    match (&*at.resource, operation) {
        ("pods", Operation::Create) => pod::create(call, at, object),
        ("services", Operation::Create | Operation::Update) => service::prepare(call, at, old, object),
        ("secrets", Operation::Create | Operation::Update) => {
            secret::merge_string_data(object);
            Ok(())
        }
        ("persistentvolumeclaims", Operation::Create) => {
            claim::create(call, object);
            Ok(())
        }
        ("jobs.batch", Operation::Create) => {
            workload::prepare_job(object);
            Ok(())
        }
        ("persistentvolumes", Operation::Create) => {
            protect(object, "kubernetes.io/pv-protection");
            object["status"] = json!({"phase": "Pending", "lastPhaseTransitionTime": call.now.rfc3339()});
            Ok(())
        }
        ("namespaces", Operation::Create) => {
            namespace::create(object);
            Ok(())
        }
        ("namespaces", Operation::Update) if at.path.subresource.is_empty() => {
            object["spec"] = old.map_or(Value::Null, |old| old["spec"].clone());
            Ok(())
        }
        ("nodes", Operation::Create) => {
            taint_until_ready(object);
            Ok(())
        }
        (crd::RESOURCE, Operation::Create | Operation::Update) => {
            crd::establish(object, call.now);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What breaks the rules of the object's kind: becomes a 422.
pub(crate) fn invalid(
    call: &Call<'_>,
    at: &Place,
    operation: Operation,
    old: Option<&Value>,
    object: &Value,
) -> Vec<Cause> {
    let mut causes = match old {
        Some(old) if operation == Operation::Update => immutable::changes(&at.resource, old, object),
        _ => Vec::new(),
    };
    if matches!(operation, Operation::Create | Operation::Update) {
        causes.extend(workload::causes(&at.resource, object));
    }
    causes.extend(common::causes(&at.resource, object));
    match (&*at.resource, operation) {
        ("pods", Operation::Create) => causes.extend(pod_rules::causes(object)),
        ("pods", Operation::UpdateStatus) => causes.extend(old.and_then(|old| pod_rules::revived(old, object))),
        ("services", Operation::Create | Operation::Update) => causes.extend(service::causes(call, at, old, object)),
        ("persistentvolumeclaims", Operation::Create) => causes.extend(claim::causes(object)),
        (crd::RESOURCE, Operation::Create | Operation::Update) => {
            causes.extend(crd::causes(&call.server.catalog, object));
        }
        _ => {}
    }
    causes
}

/// What this user may not do with this object: becomes a 403.
pub(crate) fn validate(
    call: &mut Call<'_>,
    at: &Place,
    operation: Operation,
    old: Option<&Value>,
    object: &Value,
) -> Outcome<()> {
    node_restriction::check(call, at, operation, old, object)?;
    if operation == Operation::Delete {
        return namespace::may_go(at);
    }
    rbac::check(call, at, operation, object)
}

/// Adds a finalizer.
fn protect(object: &mut Value, finalizer: &str) {
    let metadata = &mut object["metadata"];
    match metadata["finalizers"].as_array_mut() {
        Some(list) if list.iter().any(|known| known == finalizer) => {}
        Some(list) => list.push(json!(finalizer)),
        None => metadata["finalizers"] = json!([finalizer]),
    }
}

/// A new node takes no pods until its Ready condition is true; node life removes the taint then.
fn taint_until_ready(node: &mut Value) {
    let taint = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
    if !node["spec"].is_object() {
        node["spec"] = json!({});
    }
    match node["spec"]["taints"].as_array_mut() {
        Some(taints) if taints.iter().any(|t| t["key"] == taint["key"] && t["effect"] == taint["effect"]) => {}
        Some(taints) => taints.push(taint),
        None => node["spec"]["taints"] = json!([taint]),
    }
}
