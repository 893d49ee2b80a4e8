//! How the fake server carries out requests: only what controllers use, but that as Kubernetes does it.

use super::{FakeApi, Slot};
use crate::Change;
use emberyard_object::view::{Meta, text};
use emberyard_object::{ApiRequest, ContentKind, Gvr, Method};
use serde_json::{Value, json};

impl FakeApi {
    pub(crate) fn run(&mut self, request: &ApiRequest) -> (u16, Value) {
        let line = format!("{} {}", request.method.as_str(), request.path);
        self.seen.push(line.clone());
        if let Some((_, status, times)) =
            self.faults.iter_mut().find(|(part, _, times)| line.contains(part) && *times > 0)
        {
            *times -= 1;
            return (*status, json!({"kind": "Status"}));
        }
        let (slot, sub) = parse(&request.path);
        let body = request.body.clone().unwrap_or(Value::Null);
        match (request.method, sub.as_str()) {
            (Method::Get, _) if slot.2.is_empty() => {
                let items: Vec<&Value> = self
                    .objects
                    .iter()
                    .filter(|(of, _)| of.0 == slot.0 && of.1 == slot.1)
                    .map(|(_, object)| object)
                    .collect();
                (200, json!({"kind": "List", "items": items}))
            }
            (Method::Get, _) => self.objects.get(&slot).map_or((404, json!({})), |object| (200, object.clone())),
            (Method::Post, "binding") => self.bind(&slot, &body),
            (Method::Post, _) => self.post(slot, body),
            (Method::Put, sub) => self.put(&slot, &body, sub),
            (Method::Patch, sub) => self.patch(&slot, &body, request.content_type, sub),
            (Method::Delete, _) if slot.2.is_empty() => {
                let all: Vec<Slot> =
                    self.objects.keys().filter(|of| of.0 == slot.0 && of.1 == slot.1).cloned().collect();
                for one in all {
                    self.delete(&one, &body);
                }
                (200, json!({"kind": "Status"}))
            }
            (Method::Delete, _) => self.delete(&slot, &body),
        }
    }

    fn post(&mut self, mut slot: Slot, mut object: Value) -> (u16, Value) {
        if !slot.1.is_empty() {
            object["metadata"]["namespace"] = json!(slot.1);
        }
        Meta(&object).name().clone_into(&mut slot.2);
        if self.objects.contains_key(&slot) {
            return (409, json!({"kind": "Status", "reason": "AlreadyExists"}));
        }
        (201, self.create(&slot.0, object))
    }

    fn bind(&mut self, slot: &Slot, body: &Value) -> (u16, Value) {
        let Some(mut pod) = self.objects.get(slot).cloned() else { return (404, json!({})) };
        if text(body, &["metadata", "uid"]) != Meta(&pod).uid() || pod["spec"].get("nodeName").is_some() {
            return (409, json!({"kind": "Status", "reason": "Conflict"}));
        }
        pod["spec"]["nodeName"] = body["target"]["name"].clone();
        self.write(slot.clone(), pod, Change::Modified);
        (201, json!({"kind": "Status", "status": "Success"}))
    }

    fn put(&mut self, slot: &Slot, body: &Value, sub: &str) -> (u16, Value) {
        let Some(known) = self.objects.get(slot) else { return (404, json!({})) };
        let version = Meta(body).resource_version();
        if !version.is_empty() && version != Meta(known).resource_version() {
            return (409, json!({"kind": "Status", "reason": "Conflict"}));
        }
        let mut new = body.clone();
        match sub {
            "status" => {
                new = known.clone();
                new["status"] = body["status"].clone();
            }
            "finalize" => {
                new = known.clone();
                new["spec"] = body["spec"].clone();
            }
            _ => {
                if let Some(status) = known.get("status") {
                    new["status"] = status.clone();
                }
            }
        }
        self.store(slot, new)
    }

    fn patch(&mut self, slot: &Slot, patch: &Value, kind: ContentKind, sub: &str) -> (u16, Value) {
        let Some(mut object) = self.objects.get(slot).cloned() else { return (404, json!({})) };
        let (uid, version) = (text(patch, &["metadata", "uid"]), text(patch, &["metadata", "resourceVersion"]));
        if !uid.is_empty() && uid != Meta(&object).uid()
            || !version.is_empty() && version != Meta(&object).resource_version()
        {
            return (409, json!({"kind": "Status", "reason": "Conflict"}));
        }
        let patch = if sub == "status" { json!({"status": patch["status"]}) } else { patch.clone() };
        merge(&mut object, &patch, kind == ContentKind::StrategicMergePatch);
        self.store(slot, object)
    }

    /// Writes unless nothing changed; what was being deleted and lost its last finalizer goes.
    fn store(&mut self, slot: &Slot, object: Value) -> (u16, Value) {
        let over =
            Meta(&object).is_deleting() && Meta(&object).finalizers().next().is_none() && held(slot, &object).is_none();
        if self.objects.get(slot) == Some(&object) {
            return (200, object);
        }
        let change = if over { Change::Deleted } else { Change::Modified };
        (200, self.write(slot.clone(), object, change))
    }

    pub(crate) fn delete(&mut self, slot: &Slot, options: &Value) -> (u16, Value) {
        let Some(mut object) = self.objects.get(slot).cloned() else { return (404, json!({})) };
        let uid = text(options, &["preconditions", "uid"]);
        if !uid.is_empty() && uid != Meta(&object).uid() {
            return (409, json!({"kind": "Status", "reason": "Conflict"}));
        }
        let finalizer = match text(options, &["propagationPolicy"]) {
            "Foreground" => Some("foregroundDeletion"),
            "Orphan" => Some("orphan"),
            _ => None,
        };
        if let Some(finalizer) = finalizer.filter(|one| !Meta(&object).finalizers().any(|has| has == *one)) {
            let mut all: Vec<&str> = Meta(&object).finalizers().collect();
            all.push(finalizer);
            object["metadata"]["finalizers"] = json!(all);
        }
        let grace = held(slot, &object).filter(|()| options["gracePeriodSeconds"] != json!(0));
        if Meta(&object).finalizers().next().is_none() && grace.is_none() {
            let gone = self.write(slot.clone(), object, Change::Deleted);
            return (200, gone);
        }
        if !Meta(&object).is_deleting() {
            object["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
            if slot.0.resource == "namespaces" {
                object["status"]["phase"] = json!("Terminating");
            }
            object = self.write(slot.clone(), object, Change::Modified);
        }
        (200, object)
    }
}

/// What holds an object back beside finalizers: a bound pod's grace, a namespace's own finalizers.
fn held(slot: &Slot, object: &Value) -> Option<()> {
    let bound = slot.0.resource == "pods" && object["spec"].get("nodeName").is_some();
    let namespace =
        slot.0.resource == "namespaces" && object["spec"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
    (bound || namespace).then_some(())
}

fn merge(into: &mut Value, patch: &Value, strategic: bool) {
    let Some(fields) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in fields {
        let key = match name.as_str() {
            "conditions" => "type",
            "containerStatuses" | "initContainerStatuses" => "name",
            _ => "",
        };
        if value.is_null() {
            into.as_object_mut().unwrap().remove(name);
        } else if let (true, false, Some(items)) = (strategic, key.is_empty(), value.as_array()) {
            let mut list = into[name].as_array().cloned().unwrap_or_default();
            for item in items {
                match list.iter_mut().find(|one| one[key] == item[key]) {
                    Some(one) => merge(one, item, true),
                    None => list.push(item.clone()),
                }
            }
            into[name] = json!(list);
        } else {
            merge(&mut into[name], value, strategic);
        }
    }
}

/// The object and subresource of a path.
fn parse(path: &str) -> (Slot, String) {
    let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (group, version) = if parts[0] == "api" { ("", parts[1]) } else { (parts[1], parts[2]) };
    parts.drain(..if group.is_empty() { 2 } else { 3 });
    let mut namespace = "";
    if parts[0] == "namespaces" && parts.len() > 2 && parts[2] != "finalize" && parts[2] != "status" {
        namespace = parts[1];
        parts.drain(..2);
    }
    let at = |index: usize| parts.get(index).copied().unwrap_or("").to_owned();
    ((Gvr::new(group, version, &at(0)), namespace.to_owned(), at(1)), at(2))
}
