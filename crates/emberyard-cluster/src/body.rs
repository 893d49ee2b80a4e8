//! Request bodies: media types, size, JSON, YAML and protobuf.

use crate::Request;
use crate::failure::{Failure, Outcome};
use emberyard_object::schema::{self, FieldValidation};
use emberyard_object::{Gvk, Kind, json, protobuf};
use serde_json::Value;

/// What POST, PUT and DELETE take, as 415 names it.
const SUPPORTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// A body before it is known to be of any kind.
pub(crate) struct Body {
    pub(crate) value: Value,
    pub(crate) duplicates: Vec<String>,
}

impl Body {
    /// Reads the body of a request that sends an object; `hint` is the kind that is due.
    pub(crate) fn read(request: &Request, limit: usize, hint: Option<&Gvk>) -> Outcome<Self> {
        check_size(request, limit)?;
        let media = media(request.content_type.as_deref());
        match media {
            "" | "application/json" => json_body(request),
            "application/yaml" => yaml_body(request),
            protobuf::MEDIA_TYPE => {
                let value = protobuf::decode(&request.body, hint).map_err(|e| Failure::bad_request(e.to_string()))?;
                Ok(Self { value, duplicates: Vec::new() })
            }
            _ => Err(Failure::unsupported_media(SUPPORTED)),
        }
    }

    /// The body as an object of `kind`, with warnings.
    pub(crate) fn decode(self, kind: &Kind, mode: FieldValidation) -> Outcome<(Value, Vec<String>)> {
        check_kind(&self.value, &kind.gvk)?;
        decode(kind, self.value, &self.duplicates, mode)
    }
}

/// Checks and prunes a value as an object of `kind`.
pub(crate) fn decode(
    kind: &Kind,
    value: Value,
    duplicates: &[String],
    mode: FieldValidation,
) -> Outcome<(Value, Vec<String>)> {
    let decoded = schema::decode(kind, value, duplicates, mode).map_err(|e| Failure::bad_request(e.to_string()))?;
    Ok((decoded.value, decoded.warnings))
}

pub(crate) fn check_size(request: &Request, limit: usize) -> Outcome<()> {
    if request.body.len() > limit { Err(Failure::too_large(limit)) } else { Ok(()) }
}

pub(crate) fn json_body(request: &Request) -> Outcome<Body> {
    let parsed = json::parse(&request.body).map_err(|e| Failure::bad_request(e.0))?;
    Ok(Body { value: parsed.value, duplicates: parsed.duplicates })
}

pub(crate) fn yaml_body(request: &Request) -> Outcome<Body> {
    let parsed = json::parse_yaml(&request.body).map_err(|e| Failure::bad_request(e.0))?;
    Ok(Body { value: parsed.value, duplicates: parsed.duplicates })
}

/// The media type without parameters.
pub(crate) fn media(content_type: Option<&str>) -> &str {
    content_type.unwrap_or("").split(';').next().unwrap_or("").trim()
}

/// Refuses an object of another kind.
fn check_kind(value: &Value, due: &Gvk) -> Outcome<()> {
    if !value.is_object() {
        return Err(Failure::bad_request("the body is not an object"));
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
    let (version, kind) = (text("apiVersion"), text("kind"));
    let due_version = due.api_version();
    if (kind.is_empty() || kind == due.kind) && (version.is_empty() || version == due_version) {
        return Ok(());
    }
    let (Gvk { kind: name, version: ours, .. }, given) = (due, Gvk::from_api_version(version, kind));
    if kind == due.kind {
        let message =
            format!("the API version in the data ({version}) does not match the expected API version ({due_version})");
        return Err(Failure::bad_request(message));
    }
    let internal = if due.group.is_empty() { "core" } else { due.group.split('.').next().unwrap_or("") };
    Err(Failure::bad_request(format!(
        "{kind} in version \"{}\" cannot be handled as a {name}: converting ({}.{kind}) to ({internal}.{name}): unknown \
         conversion",
        if given.version.is_empty() { ours } else { &given.version },
        given.version,
    )))
}
