//! `pods/binding`: the scheduler's decision.

use crate::body::Body;
use crate::call::{Call, Done, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::condition;
use emberyard_object::patch::apply::{Manager, track};
use emberyard_object::view::{Meta, PodView, list, text};
use emberyard_object::{Gvk, Gvr};
use serde_json::{Value, json};

impl Call<'_> {
    pub(crate) fn bind(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let binding = Body::read(self.request, self.server.config.body_limit, Some(due))?.value;
        self.bind_as(at, &binding)
    }

    /// Binds the pod that `at` names to the node that `binding` names.
    pub(crate) fn bind_as(&mut self, at: &Place, binding: &Value) -> Outcome<Done> {
        let dry_run = self.query.dry_run()?;
        let node = text(binding, &["target", "name"]);
        if node.is_empty() || !matches!(text(binding, &["target", "kind"]), "" | "Node") {
            return Err(Failure::bad_request("binding: target must name a Node"));
        }
        let live = self.live(at)?;
        let refuse = |why: String| Err(Failure::conflict(&Gvr::core("pods/binding"), at.name(), why));
        let given = Meta(binding).uid();
        if !given.is_empty() && given != live.meta().uid() {
            return refuse(format!(
                "Precondition failed: UID in precondition: {given}, UID in object meta: {}",
                live.meta().uid()
            ));
        }
        let pod = PodView(&live.value);
        if live.meta().is_deleting() {
            return refuse(format!("pod {} is being deleted, cannot be assigned to a host", at.name()));
        }
        if !pod.node_name().is_empty() {
            return refuse(format!("pod {} is already assigned to node \"{}\"", at.name(), pod.node_name()));
        }
        if !list(&live.value, &["spec", "schedulingGates"]).is_empty() {
            return refuse(format!("pod {} has non-empty .spec.schedulingGates", at.name()));
        }
        let mut object = live.value.clone();
        object["spec"]["nodeName"] = json!(node);
        for (key, value) in binding["metadata"]["annotations"].as_object().into_iter().flatten() {
            if !object["metadata"]["annotations"].is_object() {
                object["metadata"]["annotations"] = json!({});
            }
            object["metadata"]["annotations"][key] = value.clone();
        }
        set_scheduled(&mut object, &self.now.rfc3339());
        let manager = Manager { name: self.manager(), subresource: "binding", api_version: "v1" };
        track(&at.kind, Some(&live.value), &mut object, manager, self.now);
        self.put(at, at.name(), object, dry_run);
        Ok(Done::success(201))
    }
}

/// Sets the condition `PodScheduled`.
fn set_scheduled(pod: &mut Value, now: &str) {
    let said = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    condition::put(&mut pod["status"], said);
}
