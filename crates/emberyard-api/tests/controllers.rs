//! A controller as the runner serves it: every object, its own identity, answers in order, wakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use emberyard_control::{Change, Controller, Input, Output, Rng};
use emberyard_model::Timestamp;
use emberyard_object::{ApiRequest, ContentKind, Gvr, Method};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use support::{CONFIG_MAPS, Served, config_map};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// Copies each ConfigMap `x` to `copy-of-x`, and tells what it learns.
struct Copier {
    told: UnboundedSender<String>,
    next: u64,
    names: BTreeMap<u64, String>,
}

fn maps() -> Gvr {
    Gvr { group: String::new(), version: "v1".to_owned(), resource: "configmaps".to_owned() }
}

impl Controller for Copier {
    fn name(&self) -> &'static str {
        "copier"
    }

    fn user(&self) -> String {
        "system:serviceaccount:kube-system:copier".to_owned()
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![maps()]
    }

    fn step(&mut self, input: Input<'_>, now: Timestamp, _: Rng<'_>) -> Output {
        let mut output = Output::default();
        match input {
            Input::Object { change, object, .. } => {
                let name = object["metadata"]["name"].as_str().unwrap();
                self.told.send(format!("{change:?} {name}")).unwrap();
                if name.starts_with("copy-of-") || object["metadata"]["namespace"] != "default" {
                    return output;
                }
                self.next += 1;
                self.names.insert(self.next, name.to_owned());
                output.requests.push((
                    self.next,
                    ApiRequest {
                        method: Method::Post,
                        path: CONFIG_MAPS.to_owned(),
                        query: Vec::new(),
                        content_type: ContentKind::Json,
                        body: Some(config_map(&format!("copy-of-{name}"), "copied")),
                    },
                ));
            }
            Input::Synced => {
                self.told.send("Synced".to_owned()).unwrap();
                output.wake = Some(now.plus(Duration::from_millis(20)));
            }
            Input::Answered { token, status, body } => {
                let reason = body["reason"].as_str().unwrap_or_default();
                self.told.send(format!("{} {status} {reason}", self.names[&token]).trim().to_owned()).unwrap();
            }
            Input::Tick => self.told.send("Tick".to_owned()).unwrap(),
        }
        output
    }
}

/// Watches the ConfigMaps while there is a Secret, and tells what it learns of them. It is the same user as the copier.
struct Sometimes {
    told: UnboundedSender<String>,
    secrets: usize,
}

fn secrets() -> Gvr {
    Gvr { resource: "secrets".to_owned(), ..maps() }
}

impl Controller for Sometimes {
    fn name(&self) -> &'static str {
        "sometimes"
    }

    fn user(&self) -> String {
        "system:serviceaccount:kube-system:copier".to_owned()
    }

    fn watches(&self) -> Vec<Gvr> {
        if self.secrets == 0 { vec![secrets()] } else { vec![secrets(), maps()] }
    }

    fn step(&mut self, input: Input<'_>, _: Timestamp, _: Rng<'_>) -> Output {
        let Input::Object { resource, change, object } = input else { return Output::default() };
        let name = object["metadata"]["name"].as_str().unwrap();
        self.told.send(format!("{change:?} {name}")).unwrap();
        match change {
            Change::Added if *resource == secrets() => self.secrets += 1,
            Change::Deleted if *resource == secrets() => self.secrets -= 1,
            _ => return Output::default(),
        }
        Output { rewatch: true, ..Output::default() }
    }
}

async fn role(admin: &mut support::Client) {
    let rules = serde_json::json!([{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["list", "watch", "create"]}]);
    let role = serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "copier"}, "rules": rules});
    let binding = serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "copier"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "copier"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "kube-system", "name": "copier"}]});
    for (path, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
        let (status, body): (u16, Value) =
            admin.post(&format!("/apis/rbac.authorization.k8s.io/v1/{path}"), &object).await;
        assert_eq!(status, 201, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_sees_everything_and_acts_as_itself() {
    let (told, mut heard) = unbounded_channel();
    let copier = Copier { told, next: 0, names: BTreeMap::new() };
    let served = Served::with(|config| config.controllers.push(Box::new(copier))).await;
    let mut admin = served.admin().await;
    // Until it may watch, it hears nothing; it tries again by itself.
    role(&mut admin).await;
    assert_eq!(admin.post(CONFIG_MAPS, &config_map("a", "1")).await.0, 201);
    let mut lines = Vec::new();
    while !(lines.contains(&"Tick".to_owned()) && lines.contains(&"Added copy-of-a".to_owned())) {
        lines.push(timeout(SOON, heard.recv()).await.expect("told in time").unwrap());
    }
    let at = |line: &str| lines.iter().position(|l| l == line).unwrap_or_else(|| panic!("{line} in {lines:?}"));
    assert!(at("Added a") < at("a 201"));
    assert!(at("Synced") < at("Tick"));
    assert_eq!(admin.get(&format!("{CONFIG_MAPS}/copy-of-a")).await.1["data"]["value"], "copied");
    assert_eq!(admin.json("DELETE", &format!("{CONFIG_MAPS}/a"), None).await.0, 200);
    while timeout(SOON, heard.recv()).await.unwrap().unwrap() != "Deleted a" {}
    timeout(SOON, served.stop()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_begins_to_watch_late_hears_what_is_there_and_who_stops_hears_no_more() {
    let (told, mut copier) = unbounded_channel();
    let first = Copier { told, next: 0, names: BTreeMap::new() };
    let (told, mut late) = unbounded_channel();
    let second = Sometimes { told, secrets: 0 };
    let served = Served::with(|config| {
        config.controllers.push(Box::new(first));
        config.controllers.push(Box::new(second));
    })
    .await;
    let mut admin = served.admin().await;
    role(&mut admin).await;
    assert_eq!(admin.post(CONFIG_MAPS, &config_map("a", "1")).await.0, 201);
    while timeout(SOON, copier.recv()).await.unwrap().unwrap() != "Added copy-of-a" {}
    let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "now"}});
    let path = "/api/v1/namespaces/default/secrets";
    for round in ["first", "again"] {
        assert_eq!(admin.post(path, &secret).await.0, 201);
        let mut lines = Vec::new();
        while !lines.contains(&"Added copy-of-a".to_owned()) {
            lines.push(timeout(SOON, late.recv()).await.expect("told in time").unwrap());
        }
        let mut seen = lines.clone();
        seen.dedup();
        assert_eq!(seen, lines, "{round}: everything once");
        assert!(lines.contains(&"Added a".to_owned()), "{round}: {lines:?}");
        assert_eq!(admin.json("DELETE", &format!("{path}/now"), None).await.0, 200);
        while timeout(SOON, late.recv()).await.unwrap().unwrap() != "Deleted now" {}
        // The other goes on to hear, this one does not.
        let name = format!("{round}-unheard");
        assert_eq!(admin.post(CONFIG_MAPS, &config_map(&name, "1")).await.0, 201);
        while timeout(SOON, copier.recv()).await.unwrap().unwrap() != format!("Added {name}") {}
        assert_eq!(admin.json("DELETE", &format!("{CONFIG_MAPS}/{name}"), None).await.0, 200);
        while timeout(SOON, copier.recv()).await.unwrap().unwrap() != format!("Deleted {name}") {}
        assert!(late.try_recv().is_err(), "{round}");
    }
    timeout(SOON, served.stop()).await.unwrap().unwrap();
}
