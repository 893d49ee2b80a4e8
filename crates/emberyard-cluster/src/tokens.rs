//! Service-account tokens: what they claim, and whom claims stand for.

use crate::server::Parts;
use crate::store::Object;
use crate::{ClaimsError, TokenToVerify, User};
use emberyard_model::Timestamp;
use emberyard_object::view::{Meta, at, text};
use serde_json::{Value, json};
use std::sync::Arc;

/// Key of the claims that only this kind of token has.
pub(crate) const PRIVATE: &str = "kubernetes.io";

/// The audiences a token was made for.
fn audiences(claims: &Value) -> Vec<&str> {
    match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn bad<T>(why: impl Into<String>) -> Result<T, ClaimsError> {
    Err(ClaimsError(why.into()))
}

/// The user that `claims` stand for, if they were made for one of `wanted` audiences and everything they are bound to
/// is still there.
pub(crate) fn authenticate(
    parts: &Parts,
    claims: &Value,
    wanted: &[&str],
    now: Timestamp,
) -> Result<User, ClaimsError> {
    let seconds = |key: &str| claims.get(key).and_then(Value::as_i64);
    if text(claims, &["iss"]) != parts.config.token_issuer {
        return bad("another issuer made it");
    }
    if seconds("exp").is_none_or(|end| end <= now.seconds()) {
        return bad("it has expired");
    }
    if seconds("nbf").is_some_and(|begin| begin > now.seconds()) {
        return bad("it is not valid yet");
    }
    if !audiences(claims).iter().any(|audience| wanted.contains(audience)) {
        return bad("it is for another audience");
    }
    let private = &claims[PRIVATE];
    let namespace = text(private, &["namespace"]);
    let account = live(parts, "serviceaccounts", namespace, private, "serviceaccount")?;
    let Some(account) = account else { return bad("it names no service account") };
    let pod = live(parts, "pods", namespace, private, "pod")?;
    live(parts, "secrets", namespace, private, "secret")?;
    let mut user = User::service_account(namespace, &account.key.name);
    account.meta().uid().clone_into(&mut user.uid);
    let mut extra = |key: &str, value: &str| {
        if !value.is_empty() {
            user.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value.to_owned()]);
        }
    };
    if let Some(pod) = pod {
        extra("pod-name", &pod.key.name);
        extra("pod-uid", pod.meta().uid());
    }
    extra("node-name", text(private, &["node", "name"]));
    extra("node-uid", text(private, &["node", "uid"]));
    if let Some(id) = claims.get("jti").and_then(Value::as_str) {
        extra("credential-id", &format!("JTI={id}"));
    }
    Ok(user)
}

/// The object a claim names; an error if it is gone or was replaced, `None` if the claim is absent.
fn live<'a>(
    parts: &'a Parts,
    resource: &str,
    namespace: &str,
    private: &Value,
    claim: &str,
) -> Result<Option<&'a Arc<Object>>, ClaimsError> {
    let Some(bound) = private.get(claim) else { return Ok(None) };
    let name = text(bound, &["name"]);
    let found =
        parts.store.get(resource, namespace, name).filter(|object| object.meta().uid() == text(bound, &["uid"]));
    match found {
        Some(object) => Ok(Some(object)),
        None => bad(format!("the {claim} {namespace}/{name} it is bound to is gone")),
    }
}

/// Fills in the status of a TokenReview.
pub(crate) fn review(parts: &Parts, verify: TokenToVerify, claims: Option<&Value>, now: Timestamp) -> Value {
    let mut review = verify.review;
    let asked: Vec<String> = at(&review, &["spec", "audiences"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|audience| audience.as_str().map(str::to_owned))
        .collect();
    let issuer = parts.config.token_issuer.as_str();
    let wanted: Vec<&str> = if asked.is_empty() { vec![issuer] } else { asked.iter().map(String::as_str).collect() };
    let user = match claims {
        Some(claims) => authenticate(parts, claims, &wanted, now),
        None => bad("its signature is wrong"),
    };
    review["status"] = match (user, claims) {
        (Ok(user), Some(claims)) => {
            let fitting: Vec<&str> = audiences(claims).into_iter().filter(|a| wanted.contains(a)).collect();
            json!({"authenticated": true, "audiences": fitting, "user": user_info(&user)})
        }
        (Err(error), _) => json!({"authenticated": false, "error": error.to_string()}),
        _ => json!({"authenticated": false}),
    };
    if let Some(spec) = review["spec"].as_object_mut() {
        spec.remove("token");
    }
    review
}

/// `authentication.k8s.io` `UserInfo`.
pub(crate) fn user_info(user: &User) -> Value {
    let groups: Vec<&str> = user.all_groups().collect();
    let mut info = json!({"username": user.name, "groups": groups});
    if !user.uid.is_empty() {
        info["uid"] = json!(user.uid);
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

/// The claims of a new token for `account`, bound to `bound` (kind in lower case, object) and its node.
pub(crate) fn claims(
    account: &Object,
    bound: Option<(&str, &Object)>,
    node: Option<(&str, &str)>,
    made: &Made<'_>,
) -> Value {
    let namespace = &*account.key.namespace;
    let reference = |object: &Object| json!({"name": &*object.key.name, "uid": Meta(&object.value).uid()});
    let mut private = json!({"namespace": namespace, "serviceaccount": reference(account)});
    if let Some((claim, object)) = bound {
        private[claim] = reference(object);
    }
    if let Some((name, uid)) = node {
        private["node"] = json!({"name": name, "uid": uid});
    }
    let now = made.now.seconds();
    if let Some(seconds) = made.warn_after {
        private["warnafter"] = json!(now + seconds);
    }
    json!({"iss": made.issuer, "sub": format!("system:serviceaccount:{namespace}:{}", account.key.name),
        "aud": made.audiences, "iat": now, "nbf": now, "exp": now + made.seconds, "jti": made.id, PRIVATE: private})
}

/// By whom, for whom and for how long a token is made.
pub(crate) struct Made<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audiences: &'a [String],
    pub(crate) seconds: i64,
    /// Seconds after which its holder should have read a newer one.
    pub(crate) warn_after: Option<i64>,
    pub(crate) now: Timestamp,
    pub(crate) id: String,
}
