//! The kinds that are looked after: the built-in ones and those of custom resource definitions as they come and go.

use crate::resources;
use emberyard_object::view::{list, text};
use emberyard_object::{Catalog, Gvr};
use serde_json::Value;
use std::collections::BTreeMap;

/// One kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub resource: Gvr,
    pub namespaced: bool,
    /// Whether all of a namespace can be deleted by one request.
    pub collection: bool,
}

/// Kinds by group and kind, one version each.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    served: BTreeMap<(String, String), Served>,
    changed: bool,
}

impl Kinds {
    /// Everything in the catalog that can be listed, watched and deleted. Events are left out: they have no owners and end by themselves.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut served = BTreeMap::new();
        for kind in catalog.kinds() {
            let usable = ["list", "watch", "delete"].iter().all(|verb| kind.has_verb(verb));
            if usable && kind.gvk.kind != "Event" {
                let one = Served {
                    resource: kind.gvr.clone(),
                    namespaced: kind.namespaced,
                    collection: kind.has_verb("deletecollection"),
                };
                served.insert((kind.gvk.group.clone(), kind.gvk.kind.clone()), one);
            }
        }
        Self { served, changed: false }
    }

    /// Takes in a custom resource definition, or its end.
    pub(crate) fn definition(&mut self, definition: &Value, gone: bool) {
        let names = |path: &[&str]| text(definition, path).to_owned();
        let group = names(&["spec", "group"]);
        let key = (group.clone(), names(&["spec", "names", "kind"]));
        let version = list(definition, &["spec", "versions"])
            .iter()
            .filter(|version| version.get("served").and_then(Value::as_bool).unwrap_or(false))
            .max_by_key(|version| version.get("storage").and_then(Value::as_bool).unwrap_or(false))
            .map(|version| text(version, &["name"]));
        let served = version.filter(|_| !gone).map(|version| Served {
            resource: Gvr::new(&group, version, &names(&["spec", "names", "plural"])),
            namespaced: text(definition, &["spec", "scope"]) == "Namespaced",
            collection: true,
        });
        if self.served.get(&key) != served.as_ref() {
            self.changed = true;
            match served {
                Some(served) => drop(self.served.insert(key, served)),
                None => drop(self.served.remove(&key)),
            }
        }
    }

    /// Whether they changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// A kind by what owner references say; the version does not matter.
    pub(crate) fn find(&self, api_version: &str, kind: &str) -> Option<&Served> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.served.get(&(group.to_owned(), kind.to_owned()))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Served> {
        self.served.values()
    }

    /// What to watch to know all of them, and the definitions themselves.
    pub(crate) fn watches(&self, wanted: impl Fn(&Served) -> bool) -> Vec<Gvr> {
        let mut watches: Vec<Gvr> =
            self.all().filter(|served| wanted(served)).map(|served| served.resource.clone()).collect();
        let definitions = resources::custom_resource_definitions();
        if !watches.contains(&definitions) {
            watches.push(definitions);
        }
        watches
    }
}
