//! Roles and bindings, arranged by whom they speak of.

use super::Rule;
use crate::store::{Object, Store};
use crate::{Revision, User};
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{list, text};
use serde_json::Value;
use std::collections::BTreeMap;

const GROUP: &str = "rbac.authorization.k8s.io";
const KINDS: [&str; 4] = ["roles", "clusterroles", "rolebindings", "clusterrolebindings"];

fn stored(kind: &str) -> String {
    format!("{kind}.{GROUP}")
}

/// What one binding gives.
#[derive(Debug)]
struct Grant {
    /// `None` = everywhere.
    namespace: Option<String>,
    rules: Vec<Rule>,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The revisions of the four kinds this was made from.
    made_from: Option<[Revision; 4]>,
    users: BTreeMap<String, Vec<Grant>>,
    groups: BTreeMap<String, Vec<Grant>>,
}

impl Index {
    /// The index of the present roles and bindings.
    pub(super) fn refreshed(&mut self, store: &Store) -> &Self {
        let revisions = KINDS.map(|kind| store.changed(&stored(kind)));
        if self.made_from != Some(revisions) {
            *self = Self { made_from: Some(revisions), ..Self::default() };
            for binding in store.list(&stored("clusterrolebindings"), None) {
                self.add(store, &binding.value, None);
            }
            for binding in store.list(&stored("rolebindings"), None) {
                self.add(store, &binding.value, Some(&binding.key.namespace));
            }
        }
        self
    }

    fn add(&mut self, store: &Store, binding: &Value, namespace: Option<&str>) {
        let rules =
            role_rules(store, namespace, text(binding, &["roleRef", "kind"]), text(binding, &["roleRef", "name"]));
        for subject in list(binding, &["subjects"]) {
            let name = text(subject, &["name"]);
            let grants = match text(subject, &["kind"]) {
                "User" => self.users.entry(name.to_owned()),
                "Group" => self.groups.entry(name.to_owned()),
                "ServiceAccount" => {
                    let home =
                        Some(text(subject, &["namespace"])).filter(|n| !n.is_empty()).or(namespace).unwrap_or("");
                    self.users.entry(format!("system:serviceaccount:{home}:{name}"))
                }
                _ => continue,
            };
            grants.or_default().push(Grant { namespace: namespace.map(str::to_owned), rules: rules.clone() });
        }
    }

    /// The rules that hold for `user` in a namespace (`None` = those of the whole cluster).
    pub(super) fn rules<'a>(&'a self, user: &'a User, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Rule> {
        let own = self.users.get(&user.name).into_iter();
        let shared = user.all_groups().filter_map(|group| self.groups.get(group));
        own.chain(shared)
            .flatten()
            .filter(move |grant| grant.namespace.as_deref().is_none_or(|home| Some(home) == namespace))
            .flat_map(|grant| &grant.rules)
    }
}

/// How deep roles select roles: `admin` selects `edit`, which selects `view`.
const DEPTH: u8 = 3;

/// The rules of a role by its kind and name; none if there is no such role.
pub(super) fn role_rules(store: &Store, namespace: Option<&str>, kind: &str, name: &str) -> Vec<Rule> {
    let role = match (kind, namespace) {
        ("ClusterRole", _) => store.get(&stored("clusterroles"), "", name),
        ("Role", Some(namespace)) => store.get(&stored("roles"), namespace, name),
        _ => None,
    };
    role.map(|role| all_rules(store, role, DEPTH)).unwrap_or_default()
}

/// A role's own rules; of an aggregated one, also those of the roles it selects.
fn all_rules(store: &Store, role: &Object, depth: u8) -> Vec<Rule> {
    let mut rules = Rule::read_all(&role.value);
    for selector in list(&role.value, &["aggregationRule", "clusterRoleSelectors"]) {
        let Ok(Some(selector)) = LabelSelector::from_json(selector) else { continue };
        let parts = store.list(&role.key.resource, None).filter(|part| depth > 0 && selector.matches(&part.value));
        rules.extend(parts.filter(|part| part.key != role.key).flat_map(|part| all_rules(store, part, depth - 1)));
    }
    rules
}
