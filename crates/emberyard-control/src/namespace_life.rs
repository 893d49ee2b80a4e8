//! The end of a namespace: its pods first, then the rest, then itself.

use crate::index::{Id, Index};
use crate::kinds::Kinds;
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Change, Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, list};
use emberyard_object::{ApiRequest, Catalog, DeleteOptions, Gvr, Method, Propagation};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Kubernetes' own hold on a namespace.
const FINALIZER: &str = "kubernetes";
/// How often to look at what is being deleted and takes its time.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub(crate) struct NamespaceLife {
    kinds: Kinds,
    /// By namespace, the listings that the server has answered with nothing.
    clean: BTreeMap<String, BTreeSet<String>>,
    /// Namespaces in which there are events, which nobody watches here.
    littered: BTreeSet<String>,
}

impl NamespaceLife {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Self { kinds: Kinds::of(catalog), clean: BTreeMap::new(), littered: BTreeSet::new() }
    }

    /// Requests that delete what of this resource is not on its way out yet.
    fn delete(&self, resource: &Gvr, namespace: &str, index: &Index) -> Vec<ApiRequest> {
        let staying: Vec<&Value> =
            index.within(resource, namespace).filter(|object| !Meta(object).is_deleting()).collect();
        let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        let collection = self.kinds.all().any(|served| served.resource == *resource && served.collection);
        if staying.is_empty() {
            return Vec::new();
        }
        if collection {
            return vec![ApiRequest::delete_collection(resource, Some(namespace), &options)];
        }
        staying
            .into_iter()
            .map(|object| ApiRequest::delete(resource, Id::of(resource, object).at(), &options))
            .collect()
    }

    /// Listings that must be empty before the namespace may go: watches may lag behind.
    fn unproven(&self, namespace: &str) -> Vec<ApiRequest> {
        let clean = self.clean.get(namespace);
        self.kinds
            .all()
            .filter(|served| served.namespaced)
            .map(|served| &served.resource)
            .chain([&resources::events()])
            .map(|resource| ApiRequest::list(resource, Some(namespace)).with("limit", "1"))
            .filter(|request| !clean.is_some_and(|clean| clean.contains(&request.path)))
            .collect()
    }
}

impl Reconciler for NamespaceLife {
    /// The namespace.
    type Key = String;

    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        let mut watches = self.kinds.watches(|served| served.namespaced);
        watches.push(resources::namespaces());
        watches
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::namespaces() {
            return trim::without_managed_fields(object);
        }
        trim::only(object, trim::LIFE)
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<String> {
        let gone = seen.change == Change::Deleted;
        if seen.is(&resources::custom_resource_definitions()) {
            self.kinds.definition(seen.object, gone);
            return Vec::new();
        }
        if seen.is(&resources::namespaces()) {
            if gone {
                self.clean.remove(&seen.id.name);
            }
            return vec![seen.id.name.clone()];
        }
        let namespace = index.find(&resources::namespaces(), "", &seen.id.namespace);
        if !namespace.is_some_and(|one| Meta(one).is_deleting()) {
            return Vec::new();
        }
        if !gone {
            self.clean.remove(&seen.id.namespace);
        }
        vec![seen.id.namespace.clone()]
    }

    fn reconcile(&mut self, name: &String, index: &Index, now: Timestamp, _rng: Rng<'_>) -> Work {
        let resource = resources::namespaces();
        let Some(namespace) = index.find(&resource, "", name).filter(|one| Meta(one).is_deleting()) else {
            return Work::default();
        };
        let holds = list(namespace, &["spec", "finalizers"]);
        if !holds.iter().any(|one| one == FINALIZER) {
            return Work::default();
        }
        let pods = resources::pods();
        let mut work = Work::later(now.plus(LOOK_AGAIN));
        let full: Vec<&Gvr> = index.resources_within(name).collect();
        if full.contains(&&pods) {
            work.requests = self.delete(&pods, name, index);
        } else if !full.is_empty() {
            work.requests = full.iter().flat_map(|resource| self.delete(resource, name, index)).collect();
        } else if self.littered.remove(name) {
            let all = ApiRequest::delete_collection(&resources::events(), Some(name), &DeleteOptions::default());
            work.requests.push(all);
        } else {
            work.requests = self.unproven(name);
            if work.requests.is_empty() {
                let left: Vec<&Value> = holds.iter().filter(|one| *one != FINALIZER).collect();
                let mut namespace = namespace.clone();
                namespace["spec"]["finalizers"] = json!(left);
                work.requests.push(ApiRequest::update(&resource, (None, name), namespace).subresource("finalize"));
            }
        }
        work
    }

    fn answered(&mut self, name: &String, request: &ApiRequest, status: u16, body: &Value) -> bool {
        let events = request.path == resources::events().path(Some(name), None);
        if request.method != Method::Get {
            return events && status == 200; // no watch tells that they are gone
        }
        // A kind that is not served any more holds nothing.
        if status == 404 || status == 200 && list(body, &["items"]).is_empty() {
            return self.clean.entry(name.clone()).or_default().insert(request.path.clone());
        }
        // What is found all the same the watch is about to show; events it does not.
        status == 200 && events && self.littered.insert(name.clone())
    }

    fn rewatch(&mut self) -> bool {
        self.kinds.take_changed()
    }
}
