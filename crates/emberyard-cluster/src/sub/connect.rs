//! `pods/log`, `exec`, `attach`, `portforward`: what the node's agent does, and where to find it.

use crate::call::{Call, Done, Place};
use crate::failure::{Failure, Outcome};
use crate::reply::{Connect, ConnectKind, Scheme, Target};
use crate::store::Object;
use bytes::Bytes;
use emberyard_object::Gvr;
use emberyard_object::view::{NodeView, PodView, at as value_at, text};
use serde_json::Value;
use std::sync::Arc;

const LOG_PARAMETERS: [&str; 7] =
    ["follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes"];

impl Call<'_> {
    pub(super) fn log(&self, at: &Place) -> Outcome<Done> {
        let pod = self.live(at)?;
        let container = self.container(&pod)?;
        if PodView(&pod.value).node_name().is_empty() {
            return Ok(Done::Body(200, Bytes::new(), "text/plain"));
        }
        let path = format!("/containerLogs/{}/{}/{container}", at.namespace(), at.name());
        let query = self.request.query.iter().filter(|(key, _)| LOG_PARAMETERS.contains(&key.as_str())).cloned();
        self.through_kubelet(&pod, ConnectKind::Log, path, query.collect())
    }

    /// `exec` and `attach`.
    pub(super) fn stream(&self, at: &Place) -> Outcome<Done> {
        let pod = self.live(at)?;
        let container = self.container(&pod)?;
        let kind = if at.path.subresource == "exec" { ConnectKind::Exec } else { ConnectKind::Attach };
        let mut query = Vec::new();
        for (ours, theirs) in [("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty")] {
            if self.query.is_on(ours) {
                query.push((theirs.to_owned(), "1".to_owned()));
            }
        }
        if query.is_empty() {
            return Err(Failure::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
        }
        if kind == ConnectKind::Exec {
            query.extend(self.request.query.iter().filter(|(key, _)| key == "command").cloned());
            if !query.iter().any(|(key, _)| key == "command") {
                return Err(Failure::bad_request("you must specify a command for the container"));
            }
        }
        let path = format!("/{}/{}/{}/{container}", at.path.subresource, at.namespace(), at.name());
        self.through_kubelet(&pod, kind, path, query)
    }

    pub(super) fn port_forward(&self, at: &Place) -> Outcome<Done> {
        let pod = self.live(at)?;
        let path = format!("/portForward/{}/{}", at.namespace(), at.name());
        let ports = self.request.query.iter().filter(|(key, _)| matches!(key.as_str(), "port" | "ports"));
        let query = ports.map(|(_, value)| ("port".to_owned(), value.clone())).collect();
        self.through_kubelet(&pod, ConnectKind::PortForward, path, query)
    }

    /// The container a request means: the one it names, or the only one.
    fn container(&self, pod: &Object) -> Outcome<String> {
        let view = PodView(&pod.value);
        let names = |containers: &[Value]| containers.iter().map(|c| text(c, &["name"]).to_owned()).collect::<Vec<_>>();
        let (main, init) = (names(view.containers()), names(view.init_containers()));
        match self.query.get("container") {
            Some(name) if main.iter().chain(&init).any(|known| known == name) => Ok(name.to_owned()),
            Some(name) => Err(Failure::bad_request(format!("container {name} is not valid for pod {}", pod.key.name))),
            None if main.len() == 1 => Ok(main[0].clone()),
            None => {
                let more = match init.as_slice() {
                    [] => String::new(),
                    init => format!(" or one of the init containers: [{}]", init.join(" ")),
                };
                let (pod, main) = (&pod.key.name, main.join(" "));
                let message =
                    format!("a container name must be specified for pod {pod}, choose one of: [{main}]{more}");
                Err(Failure::bad_request(message))
            }
        }
    }

    fn through_kubelet(
        &self,
        pod: &Arc<Object>,
        kind: ConnectKind,
        path: String,
        query: Vec<(String, String)>,
    ) -> Outcome<Done> {
        let node = PodView(&pod.value).node_name();
        if node.is_empty() {
            return Err(Failure::bad_request(format!("pod {} does not have a host assigned", pod.key.name)));
        }
        let target = self.kubelet(node)?;
        Ok(Done::Connect(Box::new(Connect {
            user: self.user.clone(),
            kind,
            target,
            method: crate::Method::Get,
            path,
            query,
            prefix: String::new(),
        })))
    }

    /// Address and port of a node's agent.
    pub(super) fn kubelet(&self, name: &str) -> Outcome<Target> {
        let nodes = Gvr::core("nodes");
        let node = self.server.store.get("nodes", "", name).ok_or_else(|| Failure::not_found(&nodes, name))?;
        let view = NodeView(&node.value);
        let host =
            ["InternalIP", "ExternalIP", "Hostname"].map(|kind| view.address(kind)).into_iter().find(|a| !a.is_empty());
        let Some(host) = host else {
            return Err(Failure::unavailable(format!("no preferred addresses found for node \"{name}\"")));
        };
        let port = value_at(&node.value, &["status", "daemonEndpoints", "kubeletEndpoint", "Port"]);
        let port = port.and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or(10250);
        Ok(Target { scheme: Scheme::Kubelet, host: host.to_owned(), port, node: Some(name.to_owned()) })
    }
}
