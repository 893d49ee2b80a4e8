//! Every namespace has the cluster's CA certificates in a ConfigMap, from which pods take theirs.

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, text};
use emberyard_object::{ApiRequest, Gvr};
use serde_json::{Value, json};

const NAME: &str = "kube-root-ca.crt";

/// See the module.
#[derive(Debug)]
pub(crate) struct RootCa {
    pem: String,
}

impl RootCa {
    pub(crate) fn new(pem: String) -> Self {
        Self { pem }
    }
}

impl Reconciler for RootCa {
    /// The namespace.
    type Key = String;

    fn name(&self) -> &'static str {
        "root-ca-cert-publisher"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::namespaces(), resources::config_maps()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::config_maps() && Meta(object).name() == NAME {
            return trim::without_managed_fields(object);
        }
        trim::only(object, trim::LIFE)
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<String> {
        if seen.is(&resources::namespaces()) {
            return vec![seen.id.name.clone()];
        }
        if seen.id.name == NAME { vec![seen.id.namespace.clone()] } else { Vec::new() }
    }

    fn reconcile(&mut self, namespace: &String, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::config_maps();
        let lives = index.find(&resources::namespaces(), "", namespace).is_some_and(|one| !Meta(one).is_deleting());
        if !lives {
            return Work::default();
        }
        let data = json!({"ca.crt": self.pem});
        match index.find(&resource, namespace, NAME) {
            None => {
                let map = json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                        "name": NAME, "namespace": namespace,
                        "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the API server."},
                    },
                    "data": data,
                });
                Work::one(ApiRequest::create(&resource, Some(namespace), map))
            }
            Some(map) if text(map, &["data", "ca.crt"]) != self.pem && !Meta(map).is_deleting() => {
                let mut map = map.clone();
                map["data"] = data;
                let id = Id::of(&resource, &map);
                Work::one(ApiRequest::update(&resource, id.at(), map))
            }
            Some(_) => Work::default(),
        }
    }
}
