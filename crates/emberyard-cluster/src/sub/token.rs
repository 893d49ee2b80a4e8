//! `serviceaccounts/token`: a token of limited life, bound to a pod.

use crate::admission::node_restriction;
use crate::authz::node::node_name;
use crate::body::Body;
use crate::call::{Call, Done, Place};
use crate::entropy;
use crate::failure::{Failure, Outcome};
use crate::reply::TokenToSign;
use crate::store::Object;
use crate::tokens::{self, Made};
use emberyard_object::schema::Cause;
use emberyard_object::view::{PodView, at as value_at, list, text};
use emberyard_object::{Gvk, Gvr};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SHORTEST: i64 = 600;
const LONGEST: i64 = 365 * 24 * 3600;
/// What admission asks for in pods that ask for nothing. Programs in them may read such a token once and never again, as
/// Spark's driver does: as in kube-apiserver it is good for a year, which ends with its pod, and only named short.
const PROJECTED: i64 = 3607;

impl Call<'_> {
    pub(super) fn token(&mut self, at: &Place, due: &Gvk) -> Outcome<Done> {
        let request = Body::read(self.request, self.server.config.body_limit, Some(due))?.value;
        let account = self.live(at)?;
        let issuer = self.server.config.token_issuer.clone();
        let mut audiences: Vec<String> =
            list(&request, &["spec", "audiences"]).iter().filter_map(|a| a.as_str().map(str::to_owned)).collect();
        if audiences.is_empty() {
            audiences.push(issuer.clone());
        }
        let seconds = value_at(&request, &["spec", "expirationSeconds"]).and_then(Value::as_i64).unwrap_or(3600);
        if !(SHORTEST..=1 << 32).contains(&seconds) {
            let rule = if seconds < SHORTEST {
                "may not specify a duration less than 10 minutes"
            } else {
                "may not specify a duration larger than 2^32 seconds"
            };
            let cause = Cause {
                reason: "FieldValueInvalid",
                field: "spec.expirationSeconds".to_owned(),
                message: format!("Invalid value: {seconds}: {rule}"),
            };
            return Err(Failure::invalid(due, at.name(), &[cause]));
        }
        let seconds = seconds.min(LONGEST);
        let bound = self.bound(at, &request)?;
        let pod = bound.as_ref().filter(|(claim, _)| *claim == "pod").map(|(_, object)| object);
        if let Some(node) = node_name(&self.user) {
            let pod = pod.map(|pod| &pod.value);
            node_restriction::token(node, at.name(), pod, &audiences, &issuer)
                .map_err(|why| Failure::forbidden(at.gvr(), at.name(), why))?;
        }
        let node = pod.map(|pod| PodView(&pod.value).node_name()).filter(|node| !node.is_empty());
        let node = node.and_then(|name| self.server.store.get("nodes", "", name)).cloned();
        let extended = seconds == PROJECTED && pod.is_some() && audiences == [issuer.as_str()];
        let made = Made {
            issuer: &issuer,
            audiences: &audiences,
            seconds: if extended { LONGEST } else { seconds },
            warn_after: extended.then_some(seconds),
            now: self.now,
            id: entropy::uid(self.entropy),
        };
        let claims = tokens::claims(
            &account,
            bound.as_ref().map(|(claim, object)| (*claim, &**object)),
            node.as_ref().map(|node| (&*node.key.name, node.meta().uid())),
            &made,
        );
        let expiry = self.now.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let mut review = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": at.name(), "namespace": at.namespace(), "creationTimestamp": self.now.rfc3339()},
            "spec": {"audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": "", "expirationTimestamp": expiry.rfc3339()}});
        if let Some(reference) = value_at(&request, &["spec", "boundObjectRef"]).filter(|r| !r.is_null()) {
            review["spec"]["boundObjectRef"] = reference.clone();
        }
        Ok(Done::Sign(Box::new(TokenToSign { claims, review, revision: self.server.store.revision() })))
    }

    /// The object the token is to die with.
    fn bound(&self, at: &Place, request: &Value) -> Outcome<Option<(&'static str, Arc<Object>)>> {
        let Some(reference) = value_at(request, &["spec", "boundObjectRef"]).filter(|r| !r.is_null()) else {
            return Ok(None);
        };
        let (kind, name, uid) = (text(reference, &["kind"]), text(reference, &["name"]), text(reference, &["uid"]));
        let (claim, resource) = match kind {
            "Pod" => ("pod", "pods"),
            "Secret" => ("secret", "secrets"),
            other => {
                return Err(Failure::bad_request(format!(
                    "cannot bind token for serviceaccount \"{}\" to object of type {other}",
                    at.name()
                )));
            }
        };
        let gvr = Gvr::core(resource);
        let found = self.server.store.get(resource, at.namespace(), name);
        let object = found.ok_or_else(|| Failure::not_found(&gvr, name))?;
        if !uid.is_empty() && uid != object.meta().uid() {
            let why = format!(
                "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"
            );
            return Err(Failure::conflict(&gvr, name, why));
        }
        if claim == "pod" && PodView(&object.value).service_account() != at.name() {
            return Err(Failure::bad_request(format!(
                "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
                at.name()
            )));
        }
        Ok(Some((claim, Arc::clone(object))))
    }
}
