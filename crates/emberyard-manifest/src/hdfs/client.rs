//! The client's pod: for people's commands, and the one that makes the folders everybody needs.

use super::set::{ETC, Runs, container, owned, selector, template};
use super::validate::Plan;
use serde_json::{Value, json};

pub(crate) const PART: &str = "client";

pub(crate) fn deployment(plan: &Plan) -> Value {
    let command = json!(["bash", format!("{ETC}/client.sh")]);
    let mut shell = container(plan, &Runs { name: PART, command, memory: 64 });
    let ready =
        json!({"exec": {"command": ["test", "-e", "/tmp/prepared"]}, "periodSeconds": 1, "failureThreshold": 3});
    shell.insert("readinessProbe".to_owned(), ready);
    let data = json!({"name": "data", "emptyDir": {}});
    let mut template = template(plan, PART, Vec::new(), vec![shell.into()], vec![data]);
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
