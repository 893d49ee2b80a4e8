//! A tiny API server in memory, for tests: keeps objects, applies requests, tells watchers.

mod apply;
mod bench;

pub(crate) use bench::Bench;

use emberyard_object::Gvr;
use emberyard_object::view::Meta;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) type Slot = (Gvr, String, String);

/// Objects and what happened to them.
#[derive(Default)]
pub(crate) struct FakeApi {
    pub objects: BTreeMap<Slot, Value>,
    /// Every change: resource, change, object.
    pub log: Vec<(Gvr, crate::Change, Value)>,
    version: u64,
    /// Requests in order, as `METHOD path`.
    pub seen: Vec<String>,
    /// Answers to give instead of doing anything, by part of `METHOD path`, with how often.
    pub faults: Vec<(String, u16, u32)>,
}

impl FakeApi {
    /// Creates an object as its owner would: uid and version are given if absent.
    pub(crate) fn create(&mut self, resource: &Gvr, mut object: Value) -> Value {
        let meta = Meta(&object);
        let slot = (resource.clone(), meta.namespace().to_owned(), meta.name().to_owned());
        if meta.uid().is_empty() {
            object["metadata"]["uid"] = json!(format!("uid-{}-{}", slot.2, self.version));
        }
        self.write(slot, object, crate::Change::Added)
    }

    /// Changes an object by hand.
    pub(crate) fn edit(&mut self, resource: &Gvr, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let slot = (resource.clone(), namespace.to_owned(), name.to_owned());
        let mut object = self.objects[&slot].clone();
        change(&mut object);
        self.write(slot, object, crate::Change::Modified);
    }

    pub(crate) fn get(&self, resource: &Gvr, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(resource.clone(), namespace.to_owned(), name.to_owned()))
    }

    pub(crate) fn names(&self, resource: &Gvr) -> Vec<String> {
        self.objects.keys().filter(|(of, ..)| of == resource).map(|(.., name)| name.clone()).collect()
    }

    fn write(&mut self, slot: Slot, mut object: Value, change: crate::Change) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.log.push((slot.0.clone(), change, object.clone()));
        if change == crate::Change::Deleted {
            self.objects.remove(&slot)
        } else {
            self.objects.insert(slot, object.clone())
        };
        object
    }
}
