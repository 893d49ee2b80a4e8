//! Kinds that stand for many pods: what they must say, and what may not change.
//!
//! Rule source: `pkg/apis/{apps,batch,policy}/validation/validation.go` and `pkg/registry/batch/job/strategy.go`.

use super::pod_rules;
use emberyard_object::schema::Cause;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, at, list, text};
use serde_json::{Value, json};

/// What the objects are stored as, and their singular name in messages.
const SELECTING: [(&str, &str); 3] =
    [("deployments.apps", "deployment"), ("replicasets.apps", "replicaset"), ("statefulsets.apps", "statefulset")];
const JOBS: &str = "jobs.batch";
const BUDGETS: &str = "poddisruptionbudgets.policy";
/// Labels that tie pods to their job; each under its older name too.
const JOB_LABELS: [(&str, &str); 2] =
    [("batch.kubernetes.io/controller-uid", "controller-uid"), ("batch.kubernetes.io/job-name", "job-name")];

fn cause(reason: &'static str, field: &str, message: String) -> Cause {
    Cause { reason, field: field.to_owned(), message }
}

fn invalid(field: &str, value: &Value, why: &str) -> Cause {
    cause("FieldValueInvalid", field, format!("Invalid value: {value}: {why}"))
}

fn forbidden(field: &str, why: &str) -> Cause {
    cause("FieldValueForbidden", field, format!("Forbidden: {why}"))
}

/// Gives a new job its selector and its pods the labels to it, unless its author chose them.
pub(super) fn prepare_job(job: &mut Value) {
    if job["spec"]["manualSelector"] != true && job["spec"]["template"].is_object() {
        let values = [Meta(job).uid().to_owned(), Meta(job).name().to_owned()];
        let spec = &mut job["spec"];
        if !spec["template"]["metadata"].is_object() {
            spec["template"]["metadata"] = json!({});
        }
        for ((new, old), value) in JOB_LABELS.into_iter().zip(values) {
            for label in [new, old] {
                let labels = &mut spec["template"]["metadata"]["labels"];
                if labels[label].is_null() {
                    labels[label] = json!(value);
                }
            }
            if new == JOB_LABELS[0].0 && at(spec, &["selector", "matchLabels"]).is_none() {
                spec["selector"] = json!({"matchLabels": {new: value}});
            }
        }
    }
    if Meta(job).labels().as_object().is_none_or(serde_json::Map::is_empty) {
        let labels = &job["spec"]["template"]["metadata"]["labels"];
        if labels.is_object() {
            job["metadata"]["labels"] = labels.clone();
        }
    }
}

/// What is wrong with an object of one of these kinds.
pub(super) fn causes(resource: &str, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some((_, name)) = SELECTING.iter().find(|(of, _)| *of == resource) {
        not_negative(object, &["replicas", "minReadySeconds", "revisionHistoryLimit"], &mut causes);
        selector(object, name, &mut causes);
        template(object, &mut causes);
        restarts(object, &mut causes);
    }
    match resource {
        "deployments.apps" => deployment(object, &mut causes),
        "statefulsets.apps" => stateful_set(object, &mut causes),
        JOBS => job(object, &mut causes),
        BUDGETS => budget(object, &mut causes),
        _ => {}
    }
    causes
}

fn not_negative(object: &Value, fields: &[&str], causes: &mut Vec<Cause>) {
    for field in fields {
        if let Some(value) = at(object, &["spec", field]).filter(|value| value.as_i64().is_some_and(|n| n < 0)) {
            causes.push(invalid(&format!("spec.{field}"), value, "must be greater than or equal to 0"));
        }
    }
}

fn selector(object: &Value, name: &str, causes: &mut Vec<Cause>) {
    let given = at(object, &["spec", "selector"]).unwrap_or(&Value::Null);
    match LabelSelector::from_json(given) {
        Ok(None) => causes.push(cause("FieldValueRequired", "spec.selector", "Required value".to_owned())),
        Ok(Some(selector)) if selector.is_empty() => {
            causes.push(invalid("spec.selector", given, &format!("empty selector is invalid for {name}")));
        }
        Ok(Some(selector)) => selects_template(object, &selector, causes),
        Err(error) => causes.push(invalid("spec.selector", given, &error.to_string())),
    }
}

fn selects_template(object: &Value, selector: &LabelSelector, causes: &mut Vec<Cause>) {
    let labels = at(object, &["spec", "template", "metadata", "labels"]).unwrap_or(&Value::Null);
    if !selector.matches_labels(labels) {
        let why = "`selector` does not match template `labels`";
        causes.push(invalid("spec.template.metadata.labels", labels, why));
    }
}

/// The template's pods obey the rules of pods; claims of a stateful set stand for volumes.
fn template(object: &Value, causes: &mut Vec<Cause>) {
    let mut spec = object["spec"]["template"]["spec"].clone();
    let claims = list(object, &["spec", "volumeClaimTemplates"]);
    let mut volumes = list(&spec, &["volumes"]).to_vec();
    volumes.extend(claims.iter().map(|claim| json!({"name": Meta(claim).name()})));
    if !volumes.is_empty() && spec.is_object() {
        spec["volumes"] = json!(volumes);
    }
    let found = pod_rules::causes(&json!({"spec": spec}));
    causes.extend(found.into_iter().map(|one| Cause { field: format!("spec.template.{}", one.field), ..one }));
}

fn restarts(object: &Value, causes: &mut Vec<Cause>) {
    let spec = at(object, &["spec", "template", "spec"]).unwrap_or(&Value::Null);
    let policy = text(spec, &["restartPolicy"]);
    if !matches!(policy, "" | "Always") {
        let message = format!("Unsupported value: {}: supported values: \"Always\"", json!(policy));
        causes.push(cause("FieldValueNotSupported", "spec.template.spec.restartPolicy", message));
    }
    if at(spec, &["activeDeadlineSeconds"]).is_some() {
        let field = "spec.template.spec.activeDeadlineSeconds";
        let kind = text(object, &["kind"]);
        causes.push(forbidden(field, &format!("activeDeadlineSeconds in {kind} is not Supported")));
    }
}

fn deployment(object: &Value, causes: &mut Vec<Cause>) {
    let field = "spec.strategy.rollingUpdate";
    let rolling = at(object, &["spec", "strategy", "rollingUpdate"]);
    if text(object, &["spec", "strategy", "type"]) == "Recreate" && rolling.is_some() {
        causes.push(forbidden(field, "may not be specified when strategy `type` is 'Recreate'"));
    } else if let Some(rolling) = rolling {
        for limit in ["maxSurge", "maxUnavailable"] {
            amount(&rolling[limit], &format!("{field}.{limit}"), causes);
        }
        let zero = |limit: &str| rolling[limit] == 0 || rolling[limit] == "0%";
        if zero("maxSurge") && zero("maxUnavailable") {
            let why = "may not be 0 when `maxSurge` is 0";
            causes.push(invalid(&format!("{field}.maxUnavailable"), &rolling["maxUnavailable"], why));
        }
    }
    let number = |name: &str| at(object, &["spec", name]).and_then(Value::as_i64);
    if let Some(deadline) = number("progressDeadlineSeconds").filter(|d| *d <= number("minReadySeconds").unwrap_or(0)) {
        causes.push(invalid("spec.progressDeadlineSeconds", &json!(deadline), "must be greater than minReadySeconds"));
    }
}

/// A number or a percentage that is not negative.
fn amount(value: &Value, field: &str, causes: &mut Vec<Cause>) {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            causes.push(invalid(field, value, "must be greater than or equal to 0"));
        }
        Value::String(text) => {
            let digits = text.strip_suffix('%').unwrap_or("");
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                           '93%', regex used for validation is '[0-9]+%')";
                causes.push(invalid(field, value, why));
            }
        }
        _ => {}
    }
}

fn stateful_set(object: &Value, causes: &mut Vec<Cause>) {
    let rolling = at(object, &["spec", "updateStrategy", "rollingUpdate"]);
    let field = "spec.updateStrategy.rollingUpdate";
    if text(object, &["spec", "updateStrategy", "type"]) == "OnDelete" && rolling.is_some() {
        let message = "only allowed for updateStrategy 'RollingUpdate'";
        causes.push(invalid(field, rolling.unwrap_or(&Value::Null), message));
    } else if let Some(partition) = rolling.and_then(|rolling| rolling["partition"].as_i64()).filter(|p| *p < 0) {
        causes.push(invalid(&format!("{field}.partition"), &json!(partition), "must be greater than or equal to 0"));
    }
    if let Some(start) = at(object, &["spec", "ordinals", "start"]).and_then(Value::as_i64).filter(|start| *start < 0) {
        causes.push(invalid("spec.ordinals.start", &json!(start), "must be greater than or equal to 0"));
    }
}

fn job(object: &Value, causes: &mut Vec<Cause>) {
    let counts = ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"];
    not_negative(object, &counts, causes);
    match at(object, &["spec", "selector"]).map(LabelSelector::from_json) {
        Some(Ok(Some(selector))) => selects_template(object, &selector, causes),
        Some(Err(error)) => causes.push(invalid("spec.selector", &object["spec"]["selector"], &error.to_string())),
        _ => causes.push(cause("FieldValueRequired", "spec.selector", "Required value".to_owned())),
    }
    // Labels that the author gave and that name another job.
    if object["spec"]["manualSelector"] != true {
        for ((new, old), value) in JOB_LABELS.into_iter().zip([Meta(object).uid(), Meta(object).name()]) {
            for label in [new, old] {
                let found = at(object, &["spec", "template", "metadata", "labels", label]).unwrap_or(&Value::Null);
                if *found != json!(value) {
                    causes.push(invalid("spec.template.metadata.labels", found, &format!("must be '{value}'")));
                }
            }
        }
    }
    template(object, causes);
    match text(object, &["spec", "template", "spec", "restartPolicy"]) {
        "Never" | "OnFailure" => {}
        "Always" | "" => {
            let message = "Required value: valid values: \"OnFailure\", \"Never\"".to_owned();
            causes.push(cause("FieldValueRequired", "spec.template.spec.restartPolicy", message));
        }
        other => {
            let message = format!("Unsupported value: {}: supported values: \"Never\", \"OnFailure\"", json!(other));
            causes.push(cause("FieldValueNotSupported", "spec.template.spec.restartPolicy", message));
        }
    }
    let indexed = text(object, &["spec", "completionMode"]) == "Indexed";
    if indexed && at(object, &["spec", "completions"]).is_none() {
        let message = "Required value: when completion mode is Indexed".to_owned();
        causes.push(cause("FieldValueRequired", "spec.completions", message));
    }
}

fn budget(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let given = |limit: &str| spec.get(limit).filter(|value| !value.is_null());
    if given("minAvailable").is_some() && given("maxUnavailable").is_some() {
        causes.push(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
    }
    for limit in ["minAvailable", "maxUnavailable"] {
        if let Some(value) = given(limit) {
            amount(value, &format!("spec.{limit}"), causes);
        }
    }
    let policy = text(object, &["spec", "unhealthyPodEvictionPolicy"]);
    if !matches!(policy, "" | "IfHealthyBudget" | "AlwaysAllow") {
        let message =
            format!("Unsupported value: {}: supported values: \"AlwaysAllow\", \"IfHealthyBudget\"", json!(policy));
        causes.push(cause("FieldValueNotSupported", "spec.unhealthyPodEvictionPolicy", message));
    }
}

const FIXED_SET: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                         'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                         'minReadySeconds' are forbidden";
const LOOSE_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// What an update changed that may not change, beyond single fields.
pub(super) fn changes(resource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    match resource {
        "statefulsets.apps" if set_core(old) != set_core(new) => vec![forbidden("spec", FIXED_SET)],
        JOBS => job_changes(old, new),
        _ => Vec::new(),
    }
}

fn set_core(set: &Value) -> Value {
    let mut spec = set["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|key, value| !LOOSE_SET.contains(&key.as_str()) && !value.is_null());
    }
    spec
}

fn job_changes(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let of = |job: &Value, field: &str| job["spec"][field].clone();
    // An indexed job may grow and shrink as long as all of it runs at once.
    let elastic = of(new, "completionMode") == "Indexed" && of(new, "completions") == of(new, "parallelism");
    let fixed = ["completions", "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex"];
    for field in fixed.into_iter().filter(|field| of(old, field) != of(new, field)) {
        if field != "completions" || !elastic {
            causes.push(invalid(&format!("spec.{field}"), &of(new, field), "field is immutable"));
        }
    }
    // Where the pods of a job that never ran will go may still be chosen.
    let waiting = of(old, "suspend") == true && at(old, &["status", "startTime"]).is_none();
    let core = |job: &Value| {
        let mut template = of(job, "template");
        if waiting && template.is_object() {
            for field in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
                template["spec"][field] = Value::Null;
            }
            for field in ["labels", "annotations"] {
                template["metadata"][field] = Value::Null;
            }
        }
        template
    };
    if core(old) != core(new) {
        causes.push(invalid("spec.template", &of(new, "template"), "field is immutable"));
    }
    causes
}
