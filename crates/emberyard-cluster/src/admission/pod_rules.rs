//! What a pod must and must not say.

use super::pod::amount;
use emberyard_object::schema::Cause;
use emberyard_object::view::{PodView, at, list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn cause(reason: &'static str, field: String, message: String) -> Cause {
    Cause { reason, field, message }
}

/// Rules of a new pod that its schema does not know.
pub(super) fn causes(object: &Value) -> Vec<Cause> {
    let pod = PodView(object);
    let mut causes = Vec::new();
    if pod.containers().is_empty() {
        causes.push(cause("FieldValueRequired", "spec.containers".to_owned(), "Required value".to_owned()));
    }
    let volumes: BTreeSet<&str> = pod.volumes().iter().map(|volume| text(volume, &["name"])).collect();
    let mut names = BTreeSet::new();
    for (list_name, containers) in [("initContainers", pod.init_containers()), ("containers", pod.containers())] {
        for (index, container) in containers.iter().enumerate() {
            let field = format!("spec.{list_name}[{index}]");
            let name = text(container, &["name"]);
            if !names.insert(name) {
                causes.push(cause(
                    "FieldValueDuplicate",
                    format!("{field}.name"),
                    format!("Duplicate value: {}", json!(name)),
                ));
            }
            if !name.is_empty() && !is_label(name) {
                let rule =
                    "letters in lower case, digits and '-', beginning and ending with a letter or digit, at most 63";
                let message = format!("Invalid value: {}: must consist of {rule}", json!(name));
                causes.push(cause("FieldValueInvalid", format!("{field}.name"), message));
            }
            if text(container, &["image"]).is_empty() {
                causes.push(cause("FieldValueRequired", format!("{field}.image"), "Required value".to_owned()));
            }
            mounts(container, &volumes, &field, &mut causes);
            resources(container, &field, &mut causes);
        }
    }
    causes
}

/// The rule of namespace names is the rule of all DNS labels.
fn is_label(name: &str) -> bool {
    emberyard_model::NamespaceName::new(name).is_ok()
}

fn mounts(container: &Value, volumes: &BTreeSet<&str>, field: &str, causes: &mut Vec<Cause>) {
    for (index, mount) in list(container, &["volumeMounts"]).iter().enumerate() {
        let name = text(mount, &["name"]);
        if !volumes.contains(name) {
            let field = format!("{field}.volumeMounts[{index}].name");
            causes.push(cause("FieldValueNotFound", field, format!("Not found: {}", json!(name))));
        }
    }
}

fn resources(container: &Value, field: &str, causes: &mut Vec<Cause>) {
    let requests = at(container, &["resources", "requests"]).and_then(Value::as_object);
    for (resource, request) in requests.into_iter().flatten() {
        let limit = at(container, &["resources", "limits", resource]);
        let over = limit.is_some_and(|limit| amount(request) > amount(limit));
        if let Some(limit) = limit.filter(|_| over) {
            let plain = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
            causes.push(cause(
                "FieldValueInvalid",
                format!("{field}.resources.requests"),
                format!("Invalid value: {request}: must be less than or equal to {resource} limit of {plain}"),
            ));
        }
    }
}

/// A container that ended for good and is said to run again.
pub(super) fn revived(old: &Value, new: &Value) -> Option<Cause> {
    if PodView(old).restart_policy() == "Always" {
        return None;
    }
    let statuses = |pod| list(pod, &["status", "containerStatuses"]);
    statuses(old).iter().find_map(|before| {
        let terminated = at(before, &["state", "terminated"])?;
        if PodView(old).restart_policy() == "OnFailure" && terminated["exitCode"] != 0 {
            return None;
        }
        let index = statuses(new).iter().position(|after| after["name"] == before["name"])?;
        let after = &statuses(new)[index];
        at(after, &["state", "terminated"]).is_none().then(|| {
            cause(
                "FieldValueForbidden",
                format!("status.containerStatuses[{index}].state"),
                "Forbidden: may not be transitioned to non-terminated state".to_owned(),
            )
        })
    })
}
