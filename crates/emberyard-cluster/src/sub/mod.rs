//! Subresources.

mod binding;
mod connect;
mod eviction;
mod finalize;
mod proxy;
mod scale;
mod token;

use crate::call::{Call, Done, Part, Place};
use crate::failure::{Failure, Outcome};

impl Call<'_> {
    pub(crate) fn subresource(&mut self, at: &Place) -> Outcome<Done> {
        let kind = std::sync::Arc::clone(&at.kind);
        let known = kind.subresource(&at.path.subresource).ok_or_else(Failure::no_such_path)?;
        if at.path.name.is_none() {
            return Err(Failure::no_such_path());
        }
        if !known.verbs.iter().any(|verb| verb == at.verb) {
            return Err(Failure::method_not_allowed());
        }
        match (&*at.resource, known.name.as_str(), at.verb) {
            (_, "status", "get") => {
                let object = self.live(at)?;
                Ok(self.shown(at, 200, &object))
            }
            (_, "status", "update") => self.update_part(at, Part::Status),
            (_, "status", "patch") => self.patch_part(at, Part::Status),
            ("deployments.apps" | "replicasets.apps" | "statefulsets.apps", "scale", _) => self.scale(at, &known.kind),
            ("namespaces", "finalize", "update") => self.finalize(at),
            ("pods", "binding", "create") => self.bind(at, &known.kind),
            ("pods", "eviction", "create") => self.evict(at, &known.kind),
            ("pods", "log", _) => self.log(at),
            ("pods", "exec" | "attach", _) => self.stream(at),
            ("pods", "portforward", _) => self.port_forward(at),
            ("pods" | "services" | "nodes", "proxy", _) => self.proxy(at),
            ("serviceaccounts", "token", "create") => self.token(at, &known.kind),
            (resource, name, _) => Err(Failure::not_implemented(&format!("the subresource {resource}/{name}"))),
        }
    }
}
