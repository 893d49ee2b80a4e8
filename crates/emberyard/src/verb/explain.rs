//! `explain`: why nodes were added, kept or removed, and why a pod waits.

use crate::api::{admin, api};
use crate::cli::Form;
use crate::error::Failure;
use crate::output;
use crate::yard::YardDir;
use emberyard_operator::{EXPLAIN_NAME, EXPLAIN_NAMESPACE, Explanation};
use serde_json::{Value, json};

/// Runs the verb.
pub async fn run(dir: &YardDir, form: Form) -> Result<(), Failure> {
    let client = admin(dir).await?;
    let path = format!("/api/v1/namespaces/{EXPLAIN_NAMESPACE}/configmaps/{EXPLAIN_NAME}");
    let told = client.find(&path).await.map_err(api)?.and_then(|object| Explanation::read(&object));
    let (pods, _) = client.list("/api/v1/pods", &[("fieldSelector", "status.phase=Pending")]).await.map_err(api)?;
    let waiting: Vec<Value> = pods.iter().filter_map(waiting).collect();
    if matches!(form, Form::Json | Form::Yaml) {
        return Ok(output::structured(form, &json!({ "fleet": told, "waiting": waiting }))?);
    }
    match &told {
        Some(Explanation { since, sentences, .. }) if !sentences.is_empty() => {
            output::line(&format!("since {since}:"))?;
            for sentence in sentences {
                output::line(sentence)?;
            }
        }
        _ => output::line("nothing to decide: no pod waits and no node is idle")?,
    }
    for pod in &waiting {
        output::line(&format!(
            "{} waits: {}",
            pod["pod"].as_str().unwrap_or(""),
            pod["reason"].as_str().unwrap_or("")
        ))?;
    }
    Ok(())
}

fn waiting(pod: &Value) -> Option<Value> {
    let name = pod["metadata"]["name"].as_str()?;
    let unscheduled = pod["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False");
    let reason = match unscheduled {
        Some(condition) => condition["message"].as_str().unwrap_or("").to_owned(),
        None => {
            let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
            let reasons = containers.filter_map(|status| status["state"]["waiting"]["reason"].as_str());
            reasons.collect::<Vec<_>>().join(", ")
        }
    };
    Some(json!({ "pod": name, "namespace": pod["metadata"]["namespace"], "reason": reason }))
}
