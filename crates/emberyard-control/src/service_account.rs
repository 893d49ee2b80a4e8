//! Every namespace has a service account `default`.

use crate::index::Index;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::Meta;
use emberyard_object::{ApiRequest, Gvr};
use serde_json::{Value, json};

const NAME: &str = "default";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct DefaultServiceAccount;

impl Reconciler for DefaultServiceAccount {
    /// The namespace.
    type Key = String;

    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::namespaces(), resources::service_accounts()]
    }

    fn keep(&self, _resource: &Gvr, object: &Value) -> Value {
        trim::only(object, trim::LIFE)
    }

    fn affected(&mut self, seen: Seen<'_>, _index: &Index, _now: Timestamp) -> Vec<String> {
        if seen.is(&resources::namespaces()) {
            return vec![seen.id.name.clone()];
        }
        if seen.id.name == NAME { vec![seen.id.namespace.clone()] } else { Vec::new() }
    }

    fn reconcile(&mut self, namespace: &String, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let lives = index.find(&resources::namespaces(), "", namespace).is_some_and(|one| !Meta(one).is_deleting());
        if !lives || index.find(&resources::service_accounts(), namespace, NAME).is_some() {
            return Work::default();
        }
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace},
        });
        Work::one(ApiRequest::create(&resources::service_accounts(), Some(namespace), account))
    }
}
