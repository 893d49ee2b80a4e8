//! Messages whose JSON is not an object of their fields.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use emberyard_model::Timestamp;
use prost_reflect::{DynamicMessage, Value as Wire};
use serde_json::{Map, Value, json};

/// What a message turned out to be.
pub enum Read {
    /// An ordinary one.
    Plain,
    /// A zero that JSON does not show.
    Absent,
    /// Its JSON.
    Value(Value),
}

/// Reads the messages with a JSON form of their own, by their full name.
pub fn read(name: &str, message: &DynamicMessage) -> Read {
    let short = match name.strip_prefix("k8s.io.apimachinery.pkg.") {
        Some(rest) => rest,
        None if name == "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON" => "JSON",
        None => return Read::Plain,
    };
    match short {
        "api.resource.Quantity" => {
            text(message, "string").map_or(Read::Value(json!("0")), |text| Read::Value(json!(text)))
        }
        "util.intstr.IntOrString" => Read::Value(match number(message, "type") {
            0 => json!(number(message, "intVal")),
            _ => json!(text(message, "strVal").unwrap_or_default()),
        }),
        "apis.meta.v1.Time" => time(message).map_or(Read::Absent, |time| Read::Value(json!(time.rfc3339()))),
        "apis.meta.v1.MicroTime" => time(message).map_or(Read::Absent, |time| Read::Value(json!(time.rfc3339_micro()))),
        "apis.meta.v1.Duration" => Read::Value(json!(format!("{}ns", number(message, "duration")))),
        "runtime.RawExtension" | "JSON" => embedded(message, "raw"),
        "apis.meta.v1.FieldsV1" => embedded(message, "Raw"),
        _ => Read::Plain,
    }
}

/// JSON that one of two forms of a schema stands for.
pub fn either(name: &str, mut members: Map<String, Value>) -> Value {
    match name.rsplit('.').next().unwrap_or("") {
        "JSONSchemaPropsOrArray" => {
            members.remove("schema").or_else(|| members.remove("jSONSchemas")).unwrap_or(Value::Null)
        }
        "JSONSchemaPropsOrBool" => {
            members.remove("schema").or_else(|| members.remove("allows")).unwrap_or(Value::Bool(false))
        }
        "JSONSchemaPropsOrStringArray" => {
            members.remove("schema").or_else(|| members.remove("property")).unwrap_or(Value::Null)
        }
        _ => Value::Object(members),
    }
}

/// Bytes that [`super::value`] wrote as base64.
pub fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

fn embedded(message: &DynamicMessage, field: &str) -> Read {
    match message.get_field_by_name(field).as_deref() {
        Some(Wire::Bytes(raw)) if !raw.is_empty() => serde_json::from_slice(raw).map_or(Read::Absent, Read::Value),
        _ => Read::Absent,
    }
}

/// A time; all zero is Go's zero time, which JSON writes as null.
fn time(message: &DynamicMessage) -> Option<Timestamp> {
    let (seconds, nanos) = (number(message, "seconds"), number(message, "nanos"));
    (seconds != 0 || nanos != 0).then(|| Timestamp(seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000)))
}

fn text(message: &DynamicMessage, field: &str) -> Option<String> {
    message.get_field_by_name(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(message: &DynamicMessage, field: &str) -> i64 {
    message.get_field_by_name(field).map_or(0, |value| match *value {
        Wire::I32(number) => i64::from(number),
        Wire::I64(number) => number,
        _ => 0,
    })
}
