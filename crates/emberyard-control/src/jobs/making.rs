//! A job's new pods.

use super::count::Count;
use super::{Job, indexes};
use crate::index::Index;
use crate::resources;
use crate::workload::pods as from;
use emberyard_object::ApiRequest;
use emberyard_object::view::{list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many are made at once.
const BURST: i64 = 500;

/// Requests for so many more pods.
pub(super) fn pods(job: Job<'_>, count: &Count<'_>, more: i64, index: &Index) -> Vec<ApiRequest> {
    let more = usize::try_from(more.min(BURST)).unwrap_or(0);
    let (resource, meta) = (resources::pods(), job.meta());
    let free =
        |prefix: String, of: i64| from::free_names(index, meta.namespace(), prefix, format!("{}/{of}", meta.uid()));
    let short = meta.name().get(..50).unwrap_or(meta.name());
    let named: Vec<(String, Option<i64>)> = if job.is_indexed() {
        let running: BTreeSet<i64> = count.active.iter().copied().filter_map(indexes::of).collect();
        let missing = (0..job.spec("completions").unwrap_or(0))
            .filter(|index| !running.contains(index) && !count.done.contains(index));
        missing
            .take(more)
            .filter_map(|index| Some((free(format!("{short}-{index}"), index).next()?, Some(index))))
            .collect()
    } else {
        free(short.to_owned(), 0).take(more).map(|name| (name, None)).collect()
    };
    named
        .into_iter()
        .map(|(name, index)| ApiRequest::create(&resource, Some(meta.namespace()), pod(job, &name, index)))
        .collect()
}

fn pod(job: Job<'_>, name: &str, index: Option<i64>) -> Value {
    let mut pod = from::from_template(&job.0["spec"]["template"], job.meta().namespace(), job.owner().reference());
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["generateName"] = json!(format!("{}-", job.meta().name()));
    let Some(index) = index else { return pod };
    for field in ["labels", "annotations"] {
        if !pod["metadata"][field].is_object() {
            pod["metadata"][field] = json!({});
        }
        pod["metadata"][field][indexes::INDEX] = json!(index.to_string());
    }
    if text(&pod, &["spec", "hostname"]).is_empty() {
        pod["spec"]["hostname"] = json!(format!("{}-{index}", job.meta().name()));
    }
    let variable = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"apiVersion": "v1",
        "fieldPath": format!("metadata.labels['{}']", indexes::INDEX)}}});
    for kind in ["initContainers", "containers"] {
        for container in pod["spec"][kind].as_array_mut().into_iter().flatten() {
            let mut variables = list(container, &["env"]).to_vec();
            if !variables.iter().any(|one| one["name"] == variable["name"]) {
                variables.push(variable.clone());
            }
            container["env"] = json!(variables);
        }
    }
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
    pod
}
