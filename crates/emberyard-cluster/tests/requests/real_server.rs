//! The same small objects, posted here, that a real API server (1.37.2) was sent: the answers must be the same.

use crate::yard::Yard;
use emberyard_cluster::Method::Post;
use serde_json::Value;

/// Makes what differs from run to run the same: uids, times, random names, chosen addresses.
fn steady(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &value) {
                    ("uid", Value::String(_)) => *value = Value::from("UID"),
                    ("managedFields", _) => *value = Value::Null,
                    ("creationTimestamp" | "lastTransitionTime" | "lastPhaseTransitionTime", Value::String(_)) => {
                        *value = Value::from("TIME");
                    }
                    ("clusterIP", Value::String(ip)) if ip.starts_with("10.96") => *value = Value::from("IP"),
                    ("clusterIPs", Value::Array(ips))
                        if ips.iter().any(|ip| ip.as_str().is_some_and(|ip| ip.starts_with("10.96"))) =>
                    {
                        *value = Value::from("IP");
                    }
                    ("nodePort", _) => *value = Value::from("PORT"),
                    _ => steady(value),
                }
            }
            fields.retain(|key, _| key != "managedFields");
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        Value::String(text) if text.starts_with("kube-api-access-") => "kube-api-access".clone_into(text),
        Value::String(text) if text.len() == 7 && text.starts_with("a-") => "a-XXXXX".clone_into(text),
        _ => {}
    }
}

/// Every path at which two values differ.
fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let at =
                    |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::from("(absent)"));
                differences(&format!("{path}.{key}"), &at(a), &at(b), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{index}]"), a, b, out);
            }
        }
        _ if ours == theirs => {}
        _ => out.push(format!("{path}: ours {ours} theirs {theirs}")),
    }
}

#[test]
fn answers_are_those_of_a_real_server() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("real-server.json")).unwrap();
    let mut yard = Yard::new();
    // The real server had no storage class.
    yard.ok(200, emberyard_cluster::Method::Delete, "/apis/storage.k8s.io/v1/storageclasses/local", Value::Null);
    let mut report = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let (status, mut ours) = yard.call(Post, case["post"].as_str().unwrap(), case["body"].clone());
        let mut theirs = case["answer"].clone();
        steady(&mut ours);
        steady(&mut theirs);
        let mut found = Vec::new();
        if case["code"] != status {
            found.push(format!("status: ours {status} theirs {}", case["code"]));
        }
        differences("", &ours, &theirs, &mut found);
        report.extend(
            found.into_iter().map(|line| format!("{index} {} {line}", case["body"]["kind"].as_str().unwrap_or(""))),
        );
    }
    insta::assert_snapshot!(report.join("\n"));
}
