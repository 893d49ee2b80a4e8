//! Nobody hands out rights they do not have.

use super::Operation;
use crate::authz::{Attributes, Authorizer, Rule, covers};
use crate::call::{Call, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::view::{Meta, text};
use serde_json::Value;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses roles and bindings that give more than the writer has, unless it may `escalate` or `bind`.
pub(super) fn check(call: &mut Call<'_>, at: &Place, operation: Operation, object: &Value) -> Outcome<()> {
    if at.gvr().group != GROUP || operation == Operation::Delete || call.user.in_group("system:masters") {
        return Ok(());
    }
    let namespace = at.path.namespace.as_deref();
    let (asked, verb, resource, name) = match at.gvr().resource.as_str() {
        resource @ ("roles" | "clusterroles") => {
            (Rule::read_all(object), "escalate", resource.to_owned(), Meta(object).name().to_owned())
        }
        "rolebindings" | "clusterrolebindings" => {
            let (kind, name) = (text(object, &["roleRef", "kind"]), text(object, &["roleRef", "name"]));
            let rules = Authorizer::role_rules(&call.server.store, namespace, kind, name);
            let resource = if kind == "ClusterRole" { "clusterroles" } else { "roles" };
            (rules, "bind", resource.to_owned(), name.to_owned())
        }
        _ => return Ok(()),
    };
    let own = call.server.authorizer.rules(&call.server.store, &call.user, namespace);
    let wanted =
        Attributes { verb, group: GROUP, resource: &resource, namespace, name: &name, ..Attributes::default() };
    if covers(&own, &asked) || call.server.authorizer.allows(&call.server.store, &call.user, &wanted) {
        return Ok(());
    }
    let why = format!("user \"{}\" is attempting to grant RBAC permissions not currently held", call.user.name);
    Err(Failure::forbidden(at.gvr(), Meta(object).name(), why))
}
