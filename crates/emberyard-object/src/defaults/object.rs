//! Defaults of other kinds that depend on other fields.

use super::{Members, put, word};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Fills in what depends on other fields.
pub fn fill(definition: &str, members: &mut Members) {
    match definition {
        "core.v1.Namespace" => namespace(members),
        "core.v1.Secret" => string_data(members),
        "core.v1.ServiceSpec" => service(members),
        "networking.v1.NetworkPolicySpec" => {
            let egress = members.get("egress").is_some();
            put(members, "policyTypes", if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
        }
        "rbac.v1.Subject" if matches!(word(members, "kind"), "User" | "Group") => put(members, "apiGroup", json!(RBAC)),
        "apps.v1.DeploymentStrategy" | "apps.v1.StatefulSetUpdateStrategy"
            if word(members, "type") == "RollingUpdate" =>
        {
            put(members, "rollingUpdate", json!({}));
        }
        "apps.v1.StatefulSetSpec" => {
            for claim in members.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Value::Object(claim) = claim {
                    put(claim, "apiVersion", json!("v1"));
                    put(claim, "kind", json!("PersistentVolumeClaim"));
                }
            }
        }
        "batch.v1.JobSpec" => job(members),
        "CustomResourceDefinitionSpec" => put(members, "conversion", json!({"strategy": "None"})),
        "CustomResourceDefinitionNames" => {
            let kind = word(members, "kind").to_owned();
            if !kind.is_empty() {
                put(members, "singular", json!(kind.to_lowercase()));
                put(members, "listKind", json!(format!("{kind}List")));
            }
        }
        _ => {}
    }
}

/// Every namespace is labelled with its name and held by the finalizer of its life cycle.
fn namespace(namespace: &mut Members) {
    let Some(Value::Object(meta)) = namespace.get_mut("metadata") else { return };
    let name = word(meta, "name").to_owned();
    if !name.is_empty() {
        let labels = meta.entry("labels").or_insert_with(|| json!({}));
        labels["kubernetes.io/metadata.name"] = json!(name);
    }
    let fresh = !meta.contains_key("deletionTimestamp");
    let spec = namespace.entry("spec").or_insert_with(|| json!({}));
    if let (true, Value::Object(spec)) = (fresh, spec) {
        put(spec, "finalizers", json!(["kubernetes"]));
    }
}

/// `stringData` is for writing only: it becomes `data`.
fn string_data(secret: &mut Members) {
    let Some(Value::Object(texts)) = secret.remove("stringData") else { return };
    let data = secret.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        data[key] = json!(STANDARD.encode(text.as_str().unwrap_or("")));
    }
}

/// One pod, unless a number is said; retries without bound where each index has a bound of its own.
fn job(spec: &mut Members) {
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        put(spec, "completions", json!(1));
    }
    put(spec, "parallelism", json!(1));
    let unbounded = spec.contains_key("backoffLimitPerIndex");
    put(spec, "backoffLimit", json!(if unbounded { i64::from(i32::MAX) } else { 6 }));
    let failed_only = spec.contains_key("podFailurePolicy");
    put(spec, "podReplacementPolicy", json!(if failed_only { "Failed" } else { "TerminatingOrFailed" }));
}

fn service(spec: &mut Members) {
    let type_ = word(spec, "type").to_owned();
    let outside = matches!(type_.as_str(), "NodePort" | "LoadBalancer");
    if type_ != "ExternalName" {
        put(spec, "internalTrafficPolicy", json!("Cluster"));
        put(spec, "ipFamilies", json!(["IPv4"]));
        put(spec, "ipFamilyPolicy", json!("SingleStack"));
    }
    if outside {
        put(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if type_ == "LoadBalancer" {
        put(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if word(spec, "sessionAffinity") == "ClientIP" {
        put(spec, "sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10800}}));
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let own = port["port"].clone();
        if let Value::Object(port) = port {
            if matches!(port.get("targetPort"), Some(Value::String(text)) if text.is_empty())
                || port.get("targetPort") == Some(&json!(0))
            {
                port.remove("targetPort");
            }
            put(port, "targetPort", own);
        }
    }
}
