//! What a controller knows of the cluster: objects by resource, namespace and name, by uid, and by owner.

use emberyard_object::Gvr;
use emberyard_object::view::Meta;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Which object: resource, namespace ("" for cluster scope) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// The resource.
    pub resource: Gvr,
    /// Namespace, "" for cluster scope.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Id {
    /// Of an object of this resource.
    pub fn of(resource: &Gvr, object: &Value) -> Self {
        let meta = Meta(object);
        Self { resource: resource.clone(), namespace: meta.namespace().to_owned(), name: meta.name().to_owned() }
    }

    /// Where requests about it go.
    pub fn at(&self) -> (Option<&str>, &str) {
        ((!self.namespace.is_empty()).then_some(self.namespace.as_str()), &self.name)
    }
}

/// Objects as the watches have shown them, with look-ups.
#[derive(Debug, Default)]
pub struct Index {
    objects: BTreeMap<Gvr, BTreeMap<(String, String), Value>>,
    by_uid: BTreeMap<String, Id>,
    by_owner: BTreeMap<String, BTreeSet<Id>>,
}

impl Index {
    /// Takes an object in. What was there before is returned; `Err` and no change when that was as new or newer.
    pub(crate) fn put(&mut self, id: &Id, object: Value) -> Result<Option<Value>, Stale> {
        if let Some(known) = self.get(id)
            && Meta(known).uid() == Meta(&object).uid()
            && !is_newer(Meta(&object), Meta(known))
        {
            return Err(Stale);
        }
        let before = self.remove(id);
        let meta = Meta(&object);
        self.by_uid.insert(meta.uid().to_owned(), id.clone());
        for owner in meta.owners() {
            self.by_owner.entry(owner.uid.to_owned()).or_default().insert(id.clone());
        }
        let slot = (id.namespace.clone(), id.name.clone());
        self.objects.entry(id.resource.clone()).or_default().insert(slot, object);
        Ok(before)
    }

    /// Forgets an object.
    pub(crate) fn remove(&mut self, id: &Id) -> Option<Value> {
        let slot = (id.namespace.clone(), id.name.clone());
        let object = self.objects.get_mut(&id.resource)?.remove(&slot)?;
        let meta = Meta(&object);
        self.by_uid.remove(meta.uid());
        for owner in meta.owners() {
            if let Some(ids) = self.by_owner.get_mut(owner.uid) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_owner.remove(owner.uid);
                }
            }
        }
        Some(object)
    }

    /// One object.
    pub fn get(&self, id: &Id) -> Option<&Value> {
        self.objects.get(&id.resource)?.get(&(id.namespace.clone(), id.name.clone()))
    }

    /// One object by resource, namespace ("" for cluster scope) and name.
    pub fn find(&self, resource: &Gvr, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(resource)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// All objects of a resource, by namespace and name.
    pub fn all<'a>(&'a self, resource: &Gvr) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.objects.get(resource).into_iter().flat_map(BTreeMap::values)
    }

    /// All objects of a resource in one namespace, by name.
    pub fn within<'a>(&'a self, resource: &Gvr, namespace: &'a str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.objects
            .get(resource)
            .into_iter()
            .flat_map(move |objects| objects.range((namespace.to_owned(), String::new())..))
            .take_while(move |((of, _), _)| of == namespace)
            .map(|(_, object)| object)
    }

    /// The resources of which a namespace holds something.
    pub fn resources_within<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Gvr> {
        self.objects.keys().filter(move |resource| self.within(resource, namespace).next().is_some())
    }

    /// An object by its identity.
    pub fn by_uid(&self, uid: &str) -> Option<(&Id, &Value)> {
        let id = self.by_uid.get(uid)?;
        Some((id, self.get(id)?))
    }

    /// The objects that name this uid as an owner.
    pub fn owned_by(&self, uid: &str) -> impl Iterator<Item = (&Id, &Value)> {
        self.by_owner.get(uid).into_iter().flatten().filter_map(|id| Some((id, self.get(id)?)))
    }
}

/// The object was not newer than the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stale;

/// Resource versions of one server grow; where they are no numbers, every event counts as new.
fn is_newer(this: Meta<'_>, than: Meta<'_>) -> bool {
    match (this.resource_version().parse::<u64>(), than.resource_version().parse::<u64>()) {
        (Ok(this), Ok(than)) => this > than,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, uid: &str, version: &str, owner: &str) -> Value {
        json!({"metadata": {"namespace": "a", "name": name, "uid": uid, "resourceVersion": version,
            "ownerReferences": [{"uid": owner}]}})
    }

    #[test]
    fn objects_are_found_every_way_and_old_news_is_refused() {
        let pods = Gvr::core("pods");
        let mut index = Index::default();
        let one = pod("one", "u1", "5", "o");
        let id = Id::of(&pods, &one);
        assert_eq!(index.put(&id, one), Ok(None));
        assert_eq!(index.put(&id, pod("one", "u1", "4", "x")), Err(Stale));
        assert_eq!(index.put(&id, pod("one", "u1", "5", "x")), Err(Stale));
        assert_eq!(index.owned_by("o").count(), 1);
        assert!(index.put(&id, pod("one", "u1", "6", "p")).is_ok());
        assert_eq!((index.owned_by("o").count(), index.owned_by("p").count()), (0, 1));
        assert!(index.put(&id, pod("one", "u2", "3", "p")).is_ok(), "a new object under an old name");
        assert!(index.by_uid("u1").is_none() && index.by_uid("u2").is_some());
        assert_eq!((index.within(&pods, "a").count(), index.within(&pods, "").count()), (1, 0));
        assert!(index.remove(&id).is_some());
        assert_eq!((index.all(&pods).count(), index.owned_by("p").count()), (0, 0));
    }
}
