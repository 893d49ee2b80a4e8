//! What every namespace has from its beginning: a service account `default`, and the cluster's CA certificates in a
//! ConfigMap, from which pods take theirs.

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::{Value, json};

/// One object that every namespace has.
#[derive(Debug)]
pub(crate) struct InEveryNamespace {
    controller: &'static str,
    resource: Gvr,
    called: &'static str,
    /// As it is made; its `data` is also put right where somebody changed it.
    object: Value,
}

impl InEveryNamespace {
    /// The account that pods run as where they name none.
    pub(crate) fn service_account() -> Self {
        Self {
            controller: "service-account-controller",
            resource: resources::service_accounts(),
            called: "default",
            object: json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}),
        }
    }

    /// The certificates that tell the API server.
    pub(crate) fn root_ca(pem: &str) -> Self {
        let description = "Contains a CA bundle that can be used to verify the API server.";
        Self {
            controller: "root-ca-cert-publisher",
            resource: resources::config_maps(),
            called: "kube-root-ca.crt",
            object: json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"annotations": {"kubernetes.io/description": description}},
                "data": {"ca.crt": pem},
            }),
        }
    }
}

impl Reconciler for InEveryNamespace {
    /// The namespace.
    type Key = String;

    fn name(&self) -> &'static str {
        self.controller
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::namespaces(), self.resource.clone()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == self.resource && Meta(object).name() == self.called {
            return trim::without_managed_fields(object);
        }
        trim::only(object, trim::LIFE)
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<String> {
        if seen.is(&resources::namespaces()) {
            return vec![seen.id.name.clone()];
        }
        if seen.id.name == self.called { vec![seen.id.namespace.clone()] } else { Vec::new() }
    }

    fn reconcile(&mut self, namespace: &String, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let lives = index.find(&resources::namespaces(), "", namespace).is_some_and(|one| !Meta(one).is_deleting());
        if !lives {
            return Work::default();
        }
        match index.find(&self.resource, namespace, self.called) {
            None => {
                let mut object = self.object.clone();
                object["metadata"]["name"] = json!(self.called);
                object["metadata"]["namespace"] = json!(namespace);
                Work::one(ApiRequest::create(&self.resource, Some(namespace), object))
            }
            Some(found) if found.get("data") != self.object.get("data") && !Meta(found).is_deleting() => {
                let mut object = found.clone();
                object["data"] = self.object["data"].clone();
                let id = Id::of(&self.resource, &object);
                Work::one(ApiRequest::update(&self.resource, id.at(), object))
            }
            Some(_) => Work::default(),
        }
    }
}
