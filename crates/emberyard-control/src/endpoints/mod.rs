//! EndpointSlices: which pods answer for a service, and whether they are ready.

mod pods;
mod slices;

#[cfg(test)]
mod tests;

use crate::index::{Id, Index};
use crate::reconcile::{Reconciler, Seen, Work};
use crate::{Rng, resources, trim};
use emberyard_model::Timestamp;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{Meta, at, text};
use emberyard_object::{ApiRequest, DeleteOptions, Gvr};
use serde_json::Value;
use std::collections::BTreeMap;

/// Label by which a slice names its service.
const SERVICE: &str = "kubernetes.io/service-name";
/// Label by which a slice names who keeps it.
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// As which this controller keeps slices.
const US: &str = "endpointslice-controller.k8s.io";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct EndpointSlices;

/// Namespace and name of a service.
type Key = (String, String);

impl Reconciler for EndpointSlices {
    type Key = Key;

    fn name(&self) -> &'static str {
        "endpointslice-controller"
    }

    fn watches(&self) -> Vec<Gvr> {
        vec![resources::services(), resources::pods(), resources::endpoint_slices()]
    }

    fn keep(&self, resource: &Gvr, object: &Value) -> Value {
        if *resource == resources::pods() { pods::keep(object) } else { trim::without_managed_fields(object) }
    }

    fn affected(&mut self, seen: Seen<'_>, index: &Index, _now: Timestamp) -> Vec<Key> {
        let namespace = &seen.id.namespace;
        if seen.is(&resources::services()) {
            return vec![(namespace.clone(), seen.id.name.clone())];
        }
        if seen.is(&resources::endpoint_slices()) {
            let meta = Meta(seen.object);
            let ours = meta.label(MANAGED_BY) == Some(US);
            return meta
                .label(SERVICE)
                .filter(|_| ours)
                .map(|name| (namespace.clone(), name.to_owned()))
                .into_iter()
                .collect();
        }
        if seen.before.is_some_and(|before| {
            before["status"] == pods::keep(seen.object)["status"]
                && Meta(before).labels() == Meta(seen.object).labels()
                && Meta(before).is_deleting() == Meta(seen.object).is_deleting()
        }) && seen.change != crate::Change::Deleted
        {
            return Vec::new();
        }
        let selects = |service: &&Value| {
            selector(service).is_some_and(|selector| {
                selector.matches(seen.object) || seen.before.is_some_and(|before| selector.matches(before))
            })
        };
        index
            .within(&resources::services(), namespace)
            .filter(selects)
            .map(|service| (namespace.clone(), Meta(service).name().to_owned()))
            .collect()
    }

    fn reconcile(&mut self, (namespace, name): &Key, index: &Index, _now: Timestamp, _rng: Rng<'_>) -> Work {
        let (services, resource) = (resources::services(), resources::endpoint_slices());
        let service = index.find(&services, namespace, name).filter(|service| !Meta(service).is_deleting());
        let Some((service, selector)) = service.and_then(|service| Some((service, selector(service)?))) else {
            return Work::default(); // slices of a service that went go with it; one without selector is somebody's own
        };
        let chosen: Vec<&Value> = index
            .within(&resources::pods(), namespace)
            .filter(|pod| selector.matches(pod) && pods::belongs(pod))
            .collect();
        let mut wanted: BTreeMap<String, Value> =
            slices::of(service, &chosen).into_iter().map(|slice| (Meta(&slice).name().to_owned(), slice)).collect();
        let mut work = Work::default();
        let ours =
            |slice: &&Value| Meta(slice).label(SERVICE) == Some(name) && Meta(slice).label(MANAGED_BY) == Some(US);
        for slice in index.within(&resource, namespace).filter(ours) {
            let id = Id::of(&resource, slice);
            match wanted.remove(&id.name) {
                Some(new) if same(&new, slice) => {}
                Some(mut new) => {
                    new["metadata"]["resourceVersion"] = slice["metadata"]["resourceVersion"].clone();
                    work.requests.push(ApiRequest::update(&resource, id.at(), new));
                }
                None if Meta(slice).is_deleting() => {}
                None => work.requests.push(ApiRequest::delete(&resource, id.at(), &DeleteOptions::default())),
            }
        }
        let new = wanted.into_values().map(|slice| ApiRequest::create(&resource, Some(namespace), slice));
        work.requests.extend(new);
        work
    }
}

/// A service's selector; none when its endpoints are not for us to find.
fn selector(service: &Value) -> Option<LabelSelector> {
    let pairs = at(service, &["spec", "selector"])?;
    let some = pairs.as_object().is_some_and(|pairs| !pairs.is_empty());
    (some && text(service, &["spec", "type"]) != "ExternalName").then(|| LabelSelector::from_map(pairs))
}

/// Whether the slice is as wanted in everything that is ours to say.
fn same(wanted: &Value, slice: &Value) -> bool {
    let labels = Meta(wanted)
        .labels()
        .as_object()
        .is_some_and(|labels| labels.iter().all(|(key, value)| Meta(slice).labels().get(key) == Some(value)));
    labels && ["addressType", "endpoints", "ports"].iter().all(|field| wanted.get(field) == slice.get(field))
}
