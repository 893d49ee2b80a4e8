//! Refusals: what becomes a `Status` object.

use emberyard_object::schema::Cause;
use emberyard_object::{Gvk, Gvr};
use serde_json::{Value, json};

/// Why a request is refused, as `metav1.Status` tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    /// Seconds after which trying again may help.
    pub(crate) retry_after: Option<u32>,
    /// `metadata.continue` of the answer.
    fresh_continue: Option<String>,
}

/// The result of anything that may be refused.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None, fresh_continue: None }
    }

    fn about(mut self, gvr: &Gvr, name: &str) -> Self {
        let mut details = json!({"kind": gvr.resource});
        if !name.is_empty() {
            details["name"] = json!(name);
        }
        if !gvr.group.is_empty() {
            details["group"] = json!(gvr.group);
        }
        self.details = Some(details);
        self
    }

    /// As the body of an answer.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code});
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        if let Some(seconds) = self.retry_after {
            status["details"]["retryAfterSeconds"] = json!(seconds);
        }
        if let Some(token) = &self.fresh_continue {
            status["metadata"]["continue"] = json!(token);
        }
        status
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn forbidden(gvr: &Gvr, name: &str, why: impl std::fmt::Display) -> Self {
        let what = gvr.group_resource();
        let named = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        Self::new(403, "Forbidden", format!("{what}{named} is forbidden: {why}")).about(gvr, name)
    }

    pub(crate) fn forbidden_path(why: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", why).with_details(json!({}))
    }

    pub(crate) fn not_found(gvr: &Gvr, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", gvr.group_resource())).about(gvr, name)
    }

    /// There is no such path, group, version or resource.
    pub(crate) fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").with_details(json!({}))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
            .with_details(json!({}))
    }

    pub(crate) fn not_acceptable(supported: &str) -> Self {
        let message = format!("only the following media types are accepted: {supported}");
        Self::new(406, "NotAcceptable", message)
    }

    pub(crate) fn already_exists(gvr: &Gvr, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", gvr.group_resource());
        Self::new(409, "AlreadyExists", message).about(gvr, name)
    }

    pub(crate) fn conflict(gvr: &Gvr, name: &str, why: impl std::fmt::Display) -> Self {
        let what = gvr.group_resource();
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(gvr, name)
    }

    /// The object changed since the client read it.
    pub(crate) fn stale(gvr: &Gvr, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(gvr, name, why)
    }

    /// Others own the fields an apply would change.
    pub(crate) fn apply_conflict(message: String, causes: &[Cause]) -> Self {
        Self::new(409, "Conflict", message).with_details(json!({"causes": causes_json(causes)}))
    }

    /// What is asked for is forgotten.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// A list's continuation is forgotten; `fresh` continues it over the present state.
    pub(crate) fn continue_expired(fresh: &str) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results from the present state.";
        let mut failure = Self::expired(message);
        failure.fresh_continue = Some(fresh.to_owned());
        failure
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    pub(crate) fn unsupported_media(supported: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {supported}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// The object breaks rules of its kind.
    pub(crate) fn invalid(gvk: &Gvk, name: &str, causes: &[Cause]) -> Self {
        // Schema and rules may say the same of one field; clients see each thing once, in the order of fields.
        let mut causes = causes.to_vec();
        causes.sort_by(|a, b| a.field.cmp(&b.field));
        causes.dedup();
        let list: Vec<String> = causes.iter().map(ToString::to_string).collect();
        let text = match list.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {text}", gvk.group_kind());
        let mut details = json!({"kind": gvk.kind, "causes": causes_json(&causes)});
        if !name.is_empty() {
            details["name"] = json!(name);
        }
        if !gvk.group.is_empty() {
            details["group"] = json!(gvk.group);
        }
        Self::new(422, "Invalid", message).with_details(details)
    }

    /// A patch that does not fit the object.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {message}"))
    }

    /// Not now; trying again may help, after so many seconds if they are known.
    pub(crate) fn too_many_requests(message: impl Into<String>, after: Option<u32>) -> Self {
        Self { retry_after: after, ..Self::new(429, "TooManyRequests", message).with_details(json!({})) }
    }

    /// More than one disruption budget selects a pod: nobody knows which to spend.
    pub(crate) fn several_budgets() -> Self {
        let message =
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        Self::new(500, "", message)
    }

    /// Kubernetes has it, this server has not.
    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(501, "", format!("{what} is not implemented by this server")).with_details(json!({}))
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(503, "ServiceUnavailable", message) }
    }

    /// A revision that this server has not reached.
    pub(crate) fn from_the_future(asked: u64, now: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {now}");
        let cause = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        let failure = Self::new(504, "Timeout", message).with_details(json!({"causes": cause}));
        Self { retry_after: Some(1), ..failure }
    }

    /// The same with one `details.causes`.
    pub(crate) fn caused_by(mut self, causes: Value) -> Self {
        self.details.get_or_insert_with(|| json!({}))["causes"] = causes;
        self
    }

    fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

fn causes_json(causes: &[Cause]) -> Value {
    causes.iter().map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field})).collect()
}
