//! The client's pod: for people's commands, and the one that makes the folders everybody needs. Beside it a canary uses the HDFS
//! all the time, as its users would, and tells how long that took.

use super::set::{DATA, ETC, Runs, container, owned, selector, template};
use super::validate::Plan;
use emberyard_model::hdfs::CANARY_PORT;
use serde_json::{Value, json};

/// The part that people and sessions have to do with.
pub const PART: &str = "client";

pub(crate) fn deployment(plan: &Plan) -> Value {
    let prepared = format!("{DATA}/prepared");
    let runs = |name: &str, memory: u32, more: &[(&str, String)]| {
        let mut container =
            container(plan, &Runs { name, command: json!(["bash", format!("{ETC}/{name}.sh")]), memory });
        let more = more.iter().map(|(name, value)| json!({"name": name, "value": value}));
        if let Some(environment) = container.get_mut("env").and_then(Value::as_array_mut) {
            environment.push(json!({"name": "PREPARED", "value": prepared}));
            environment.extend(more);
        }
        container
    };
    let mut shell = runs(PART, 64, &[]);
    let ready = json!({"exec": {"command": ["test", "-e", prepared]}, "periodSeconds": 2, "failureThreshold": 3});
    shell.insert("readinessProbe".to_owned(), ready);
    let canary = runs("canary", 128, &[("CANARY_PORT", CANARY_PORT.to_string())]);
    let data = json!({"name": "data", "emptyDir": {}});
    let mut template = template(plan, PART, Vec::new(), vec![shell.into(), canary.into()], vec![data]);
    template["spec"]["terminationGracePeriodSeconds"] = json!(2);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": owned(plan, &plan.names().part(PART), PART),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector(plan, PART)},
            "template": template,
        },
    })
}
