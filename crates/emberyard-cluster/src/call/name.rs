//! Which names objects may have.

use crate::entropy::{self, Entropy};
use crate::store::Store;
use emberyard_model::{NamespaceName, ObjectName};
use emberyard_object::schema::Cause;
use emberyard_object::view::Meta;
use emberyard_object::{Gvr, Kind};
use serde_json::{Value, json};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                          alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', \
                          regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// Fills in a name for `generateName`: five random characters, others if that name is taken.
pub(super) fn generate(store: &Store, resource: &str, namespace: &str, object: &mut Value, entropy: &mut dyn Entropy) {
    let prefix: String = Meta(object).generate_name().chars().take(248).collect();
    if prefix.is_empty() || !Meta(object).name().is_empty() {
        return;
    }
    for _ in 0..8 {
        let name = format!("{prefix}{}", entropy::name_suffix(entropy));
        let taken = store.get(resource, namespace, &name).is_some();
        object["metadata"]["name"] = json!(name);
        if !taken {
            break;
        }
    }
}

/// What is wrong with the object's name for its kind.
pub(super) fn check(kind: &Kind, object: &Value) -> Option<Cause> {
    let name = Meta(object).name();
    let field = "metadata.name".to_owned();
    if name.is_empty() {
        let message = "Required value: name or generateName is required".to_owned();
        return Some(Cause { reason: "FieldValueRequired", field, message });
    }
    let rule = broken_rule(&kind.gvr, name)?;
    Some(Cause { reason: "FieldValueInvalid", field, message: format!("Invalid value: {}: {rule}", json!(name)) })
}

fn broken_rule(gvr: &Gvr, name: &str) -> Option<&'static str> {
    match (gvr.group.as_str(), gvr.resource.as_str()) {
        ("rbac.authorization.k8s.io" | "certificates.k8s.io" | "flowcontrol.apiserver.k8s.io", _) => path_segment(name),
        ("", "namespaces") => (!is_label(name)).then_some(LABEL),
        ("", "services") => {
            let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
            (!is_label(name) || !letter).then_some(LABEL_1035)
        }
        _ => ObjectName::new(name).is_err().then_some(SUBDOMAIN),
    }
}

/// A DNS label: what namespaces are called.
fn is_label(name: &str) -> bool {
    NamespaceName::new(name).is_ok()
}

/// Names that only have to fit into a path.
fn path_segment(name: &str) -> Option<&'static str> {
    match name {
        "." => Some("may not be '.'"),
        ".." => Some("may not be '..'"),
        name if name.contains('/') => Some("may not contain '/'"),
        name if name.contains('%') => Some("may not contain '%'"),
        _ => None,
    }
}
