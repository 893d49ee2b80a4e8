//! Who may do what: system:masters, nodes' own rules, RBAC.

mod escalation;
mod index;
pub(crate) mod node;
mod rule;

pub(crate) use escalation::covers;
pub(crate) use rule::Rule;

use crate::User;
use crate::failure::{Failure, Outcome};
use crate::store::Store;
use emberyard_object::Gvr;
use index::Index;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    /// `None` = of the cluster, or of all namespaces.
    pub(crate) namespace: Option<&'a str>,
    /// Also of a list or watch that a field selector narrows to one name.
    pub(crate) name: &'a str,
    /// The node that a list or watch of pods is narrowed to.
    pub(crate) on_node: &'a str,
    /// For what is no resource: the path.
    pub(crate) path: Option<&'a str>,
}

impl Attributes<'_> {
    fn refusal(&self, user: &User) -> Failure {
        if let Some(path) = self.path {
            let message = format!("forbidden: User \"{}\" cannot {} path \"{path}\"", user.name, self.verb);
            return Failure::forbidden_path(message);
        }
        let scope = match self.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        let why = format!(
            "User \"{}\" cannot {} resource \"{}{slash}{}\" in API group \"{}\" {scope}",
            user.name, self.verb, self.resource, self.subresource, self.group
        );
        Failure::forbidden(&Gvr::new(self.group, "", self.resource), self.name, why)
    }
}

/// Decides; keeps what it computed from roles and bindings until one of them changes.
#[derive(Debug, Default)]
pub(crate) struct Authorizer {
    index: Index,
}

impl Authorizer {
    /// Whether `user` may.
    pub(crate) fn allows(&mut self, store: &Store, user: &User, wanted: &Attributes<'_>) -> bool {
        user.in_group("system:masters")
            || node::allows(store, user, wanted)
            || self.index.refreshed(store).rules(user, wanted.namespace).any(|rule| rule.allows(wanted))
    }

    /// Refuses what `user` may not do.
    pub(crate) fn check(&mut self, store: &Store, user: &User, wanted: &Attributes<'_>) -> Outcome<()> {
        if self.allows(store, user, wanted) { Ok(()) } else { Err(wanted.refusal(user)) }
    }

    /// All rules that hold for `user` in a namespace.
    pub(crate) fn rules(&mut self, store: &Store, user: &User, namespace: Option<&str>) -> Vec<Rule> {
        if user.in_group("system:masters") {
            return Rule::everything();
        }
        self.index.refreshed(store).rules(user, namespace).cloned().collect()
    }

    /// The rules of a role that a binding names; empty if there is none.
    pub(crate) fn role_rules(store: &Store, namespace: Option<&str>, kind: &str, name: &str) -> Vec<Rule> {
        index::role_rules(store, namespace, kind, name)
    }
}
