//! What every cluster has from its first moment.
//!
//! Namespaces, upstream's roles and priority classes come as data; what is ours is in `own`. Made where it is missing,
//! through the same path as any request, so running it again changes nothing.

mod own;

use crate::call::{Call, Place};
use crate::failure::Failure;
use crate::path::ResourcePath;
use crate::server::Parts;
use crate::watch::WatchForm;
use crate::{Entropy, Method, Record, Request, User};
use emberyard_model::Timestamp;
use emberyard_object::patch::apply::Manager;
use emberyard_object::view::Meta;
use emberyard_object::{Gvk, bootstrap_objects};
use serde_json::Value;
use std::sync::Arc;

const NAME: &str = "emberyard-api";

pub(crate) fn run(server: &mut Parts, now: Timestamp, entropy: &mut dyn Entropy) -> Vec<Record> {
    let request = Request::new(User::new("system:apiserver", &["system:masters"]), Method::Post, "/");
    let config = server.config.clone();
    let mut call = Call::new(server, &request, now, entropy);
    for object in bootstrap_objects().into_iter().chain(own::objects(&config)) {
        // None of these breaks a rule (a test says so); if one did, the others would still be wanted.
        let _ = ensure(&mut call, object);
    }
    call.records
}

/// Creates the object if it is missing, and brings the rules of a role of ours up to date.
fn ensure(call: &mut Call<'_>, object: Value) -> Result<(), Failure> {
    let Some(at) = place(call, &object) else { return Ok(()) };
    let version = at.kind.gvk.api_version();
    let manager = Manager { name: NAME, subresource: "", api_version: &version };
    match call.server.store.get(&at.resource, at.namespace(), at.name()).cloned() {
        None => call.create_object(&at, object, Some(manager), false).map(|_| ()),
        Some(live) if own::follows(&live.value, &object) => {
            let wanted = own::brought_up(&live.value, &object);
            call.replace(&at, &live, wanted, crate::call::Part::Main, Some(manager), false).map(|_| ())
        }
        Some(_) => Ok(()),
    }
}

/// Where an object of these belongs; `None` if its kind is not served here.
fn place(call: &Call<'_>, object: &Value) -> Option<Place> {
    let kind = Arc::clone(call.server.catalog.kind(&Gvk::of(object)?)?);
    let meta = Meta(object);
    let path = ResourcePath {
        group: kind.gvr.group.clone(),
        version: kind.gvr.version.clone(),
        namespace: kind.namespaced.then(|| meta.namespace().to_owned()),
        resource: kind.gvr.resource.clone(),
        name: Some(meta.name().to_owned()),
        subresource: String::new(),
        rest: String::new(),
        prefix: String::new(),
    };
    Some(Place { resource: kind.stored_as.group_resource().into(), kind, path, verb: "create", form: WatchForm::Whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_made() {
        let mut server = crate::ApiServer::new(crate::Config::default()).parts();
        let request = Request::new(User::new("system:apiserver", &["system:masters"]), Method::Post, "/");
        let mut zeros = |out: &mut [u8]| out.fill(0);
        let config = server.config.clone();
        let mut call = Call::new(&mut server, &request, Timestamp(0), &mut zeros);
        for object in bootstrap_objects().into_iter().chain(own::objects(&config)) {
            assert!(place(&call, &object).is_some(), "{object}");
            assert_eq!(ensure(&mut call, object.clone()), Ok(()), "{object}");
        }
        assert!(call.records.len() > 100);
    }
}
