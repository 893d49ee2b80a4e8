//! What a new pod is given.

use super::pod_account;
use crate::call::{Call, Place};
use crate::failure::{Failure, Outcome};
use emberyard_model::fit::{Effect, tolerations};
use emberyard_object::view::{Meta, PodView, at, text};
use serde_json::{Value, json};

/// Taints that every pod bears for a while, so that a short absence of its node does not end it.
const BORNE: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

pub(super) fn create(call: &mut Call<'_>, place: &Place, object: &mut Value) -> Outcome<()> {
    if !object["spec"].is_object() {
        return Ok(());
    }
    priority(call, place, object)?;
    pod_account::admit(call, place, object)?;
    tolerate(object);
    object["status"] = json!({"phase": "Pending", "qosClass": qos(object)});
    let gated = at(object, &["spec", "schedulingGates"]).and_then(Value::as_array).is_some_and(|g| !g.is_empty());
    if gated {
        object["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False",
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": null, "lastTransitionTime": call.now.rfc3339()}]);
    }
    Ok(())
}

/// Number and preemption policy of the pod's priority class.
fn priority(call: &Call<'_>, place: &Place, object: &mut Value) -> Outcome<()> {
    let asked = text(object, &["spec", "priorityClassName"]).to_owned();
    let classes = "priorityclasses.scheduling.k8s.io";
    let class = if asked.is_empty() {
        call.server.store.list(classes, None).find(|class| class.value["globalDefault"] == true)
    } else {
        let found = call.server.store.get(classes, "", &asked);
        if found.is_none() {
            let why = format!("no PriorityClass with name {asked} was found");
            return Err(Failure::forbidden(place.gvr(), Meta(object).name(), why));
        }
        found
    };
    let spec = &mut object["spec"];
    if let Some(class) = class {
        spec["priorityClassName"] = json!(&*class.key.name);
    }
    spec["priority"] = class.map_or(json!(0), |class| class.value["value"].clone());
    if spec["preemptionPolicy"].is_null() {
        let policy = class.map(|class| class.value["preemptionPolicy"].clone()).filter(|policy| !policy.is_null());
        spec["preemptionPolicy"] = policy.unwrap_or_else(|| json!("PreemptLowerPriority"));
    }
    Ok(())
}

fn tolerate(object: &mut Value) {
    let borne = tolerations(&object["spec"]);
    let missing: Vec<Value> = BORNE
        .iter()
        .filter(|key| {
            !borne.iter().any(|toleration| {
                (toleration.key.is_empty() || toleration.key == **key)
                    && matches!(toleration.effect, None | Some(Effect::NoExecute))
            })
        })
        .map(|key| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}))
        .collect();
    if missing.is_empty() {
        return;
    }
    match object["spec"]["tolerations"].as_array_mut() {
        Some(tolerations) => tolerations.extend(missing),
        None => object["spec"]["tolerations"] = Value::Array(missing),
    }
}

/// The quality-of-service class (rule of `qos.ComputePodQOS`: CPU and memory count).
fn qos(object: &Value) -> &'static str {
    let pod = PodView(object);
    let (mut any, mut guaranteed) = (false, true);
    for container in pod.containers().iter().chain(pod.init_containers()) {
        for resource in ["cpu", "memory"] {
            let request = at(container, &["resources", "requests", resource]);
            let limit = at(container, &["resources", "limits", resource]);
            any |= request.is_some() || limit.is_some();
            guaranteed &=
                limit.is_some() && request.is_none_or(|request| amount(request) == amount(limit.unwrap_or(request)));
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// A quantity for comparison; what cannot be read is `None`.
pub(super) fn amount(value: &Value) -> Option<emberyard_model::Quantity> {
    match value {
        Value::String(text) => emberyard_model::Quantity::parse(text).ok(),
        Value::Number(number) => emberyard_model::Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}
