//! Defaults of pods that depend on other fields.

use super::{Members, put, word};
use serde_json::{Value, json};

/// Fills in what depends on other fields of pods, containers and volumes.
pub fn fill(definition: &str, members: &mut Members) {
    match definition {
        "core.v1.Pod" => requests_from_limits(members),
        "core.v1.PodSpec" => {
            service_account(members);
            host_ports(members);
        }
        "core.v1.Container" | "core.v1.EphemeralContainer" => {
            let policy = pull_policy(word(members, "image"));
            put(members, "imagePullPolicy", json!(policy));
        }
        // A volume that names no source is an empty directory.
        "core.v1.Volume" if members.keys().all(|key| key == "name") => {
            put(members, "emptyDir", json!({}));
        }
        _ => {}
    }
}

/// An image without a tag, or tagged `latest`, may change under its name; a digest never does.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or(image);
    let latest = !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if latest { "Always" } else { "IfNotPresent" }
}

/// What is limited is requested, unless said otherwise.
fn requests_from_limits(pod: &mut Members) {
    let Some(Value::Object(spec)) = pod.get_mut("spec") else { return };
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(Value::Object(resources)) = container.get_mut("resources") else { continue };
            let Some(Value::Object(limits)) = resources.get("limits").cloned() else { continue };
            let requests = resources.entry("requests").or_insert_with(|| json!({}));
            if let Value::Object(requests) = requests {
                for (name, amount) in limits {
                    requests.entry(name).or_insert(amount);
                }
            }
        }
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; both always say the same.
fn service_account(spec: &mut Members) {
    let name = match word(spec, "serviceAccountName") {
        "" => word(spec, "serviceAccount"),
        name => name,
    };
    if !name.is_empty() {
        let name = json!(name);
        spec.insert("serviceAccountName".to_owned(), name.clone());
        spec.insert("serviceAccount".to_owned(), name);
    }
}

/// On the node's network a container's port is the node's.
fn host_ports(spec: &mut Members) {
    if spec.get("hostNetwork") != Some(&json!(true)) {
        return;
    }
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                let number = port["containerPort"].clone();
                if let Value::Object(port) = port
                    && number.is_i64()
                {
                    put(port, "hostPort", number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pull_policies() {
        let table = [
            ("x", "Always"),
            ("x:latest", "Always"),
            ("x:1", "IfNotPresent"),
            ("r:5000/x", "Always"),
            ("r:5000/x:2", "IfNotPresent"),
            ("x@sha256:ab", "IfNotPresent"),
            ("x:latest@sha256:ab", "IfNotPresent"),
        ];
        for (image, wanted) in table {
            assert_eq!(super::pull_policy(image), wanted, "{image}");
        }
    }
}
