//! Questions that are asked by creating something that is never stored, and the old way to bind pods.

use crate::User;
use crate::authz::Attributes;
use crate::body::Body;
use crate::call::{Call, Done, Place};
use crate::failure::{Failure, Outcome};
use crate::reply::TokenToVerify;
use crate::tokens::user_info;
use emberyard_object::view::{Meta, at as value_at, list, text};
use serde_json::{Value, json};
use std::sync::Arc;

impl Call<'_> {
    /// POST of a kind that is not stored.
    pub(crate) fn transient(&mut self, at: &Place) -> Outcome<Done> {
        let body = Body::read(self.request, self.server.config.body_limit, Some(&at.kind.gvk))?;
        let (mut review, warnings) = body.decode(&at.kind, self.field_validation()?)?;
        self.warnings.extend(warnings);
        review["apiVersion"] = json!(at.kind.gvk.api_version());
        review["kind"] = json!(at.kind.gvk.kind);
        if !review["metadata"].is_object() {
            review["metadata"] = json!({});
        }
        let status = match at.gvr().resource.as_str() {
            "bindings" => return self.old_binding(at, &review),
            "tokenreviews" => {
                let token = text(&review, &["spec", "token"]).to_owned();
                if token.is_empty() {
                    return Err(Failure::bad_request("token is required for TokenReview in authentication"));
                }
                return Ok(Done::Verify(Box::new(TokenToVerify { token, review })));
            }
            "selfsubjectreviews" => json!({"userInfo": user_info(&self.user)}),
            "selfsubjectaccessreviews" => {
                let user = self.user.clone();
                self.access(&user, &review["spec"], None)?
            }
            "subjectaccessreviews" => self.access(&subject(&review["spec"])?, &review["spec"], None)?,
            "localsubjectaccessreviews" => {
                self.access(&subject(&review["spec"])?, &review["spec"], at.path.namespace.as_deref())?
            }
            "selfsubjectrulesreviews" => self.rules(text(&review, &["spec", "namespace"]))?,
            other => return Err(Failure::not_implemented(other)),
        };
        review["status"] = status;
        review["metadata"]["creationTimestamp"] = Value::Null;
        Ok(Done::value(201, &review))
    }

    /// POST to `bindings`: the pod's name is the binding's.
    fn old_binding(&mut self, at: &Place, binding: &Value) -> Outcome<Done> {
        let kind = self.server.catalog.find("", "v1", "pods").map(Arc::clone).ok_or_else(Failure::no_such_path)?;
        let mut pod = Place { kind, resource: Arc::from("pods"), ..at.clone() };
        pod.path.name = Some(Meta(binding).name().to_owned());
        self.bind_as(&pod, binding)
    }

    fn access(&mut self, user: &User, spec: &Value, only_in: Option<&str>) -> Outcome<Value> {
        let resource = value_at(spec, &["resourceAttributes"]).filter(|value| value.is_object());
        let path = value_at(spec, &["nonResourceAttributes"]).filter(|value| value.is_object());
        let allowed = match (resource, path) {
            (Some(resource), None) => {
                let get = |key: &str| text(resource, &[key]);
                let namespace = Some(get("namespace")).filter(|namespace| !namespace.is_empty());
                if only_in.is_some() && namespace != only_in {
                    return Err(Failure::bad_request(
                        "spec.resourceAttributes.namespace: must match metadata.namespace",
                    ));
                }
                let wanted = Attributes {
                    verb: get("verb"),
                    group: get("group"),
                    resource: get("resource"),
                    subresource: get("subresource"),
                    namespace,
                    name: get("name"),
                    ..Attributes::default()
                };
                self.server.authorizer.allows(&self.server.store, user, &wanted)
            }
            (None, Some(path)) => {
                let wanted = Attributes {
                    verb: text(path, &["verb"]),
                    path: Some(text(path, &["path"])),
                    ..Attributes::default()
                };
                self.server.authorizer.allows(&self.server.store, user, &wanted)
            }
            _ => {
                return Err(Failure::bad_request(
                    "spec: exactly one of nonResourceAttributes or resourceAttributes must be specified",
                ));
            }
        };
        Ok(json!({"allowed": allowed}))
    }

    fn rules(&mut self, namespace: &str) -> Outcome<Value> {
        if namespace.is_empty() {
            return Err(Failure::bad_request("no namespace on request"));
        }
        let rules = self.server.authorizer.rules(&self.server.store, &self.user, Some(namespace));
        let (paths, resources): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| !rule.urls.is_empty());
        let shown =
            |rules: Vec<&crate::authz::Rule>| rules.into_iter().map(crate::authz::Rule::review).collect::<Vec<_>>();
        let incomplete = crate::authz::node::node_name(&self.user).is_some();
        Ok(json!({"resourceRules": shown(resources), "nonResourceRules": shown(paths), "incomplete": incomplete}))
    }
}

/// The user a SubjectAccessReview asks about.
fn subject(spec: &Value) -> Outcome<User> {
    let groups: Vec<String> = list(spec, &["groups"]).iter().filter_map(|g| g.as_str().map(str::to_owned)).collect();
    let name = text(spec, &["user"]).to_owned();
    if name.is_empty() && groups.is_empty() {
        return Err(Failure::bad_request("spec.user: at least one of user or group must be specified"));
    }
    Ok(User { name, groups, uid: text(spec, &["uid"]).to_owned(), ..User::default() })
}
