//! Protobuf request bodies, read by descriptors into the JSON they stand for.
//!
//! Rule source: `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` (envelope) and the Go types' JSON tags, which the
//! generated field facts carry. Answers may always be JSON, so nothing is encoded.

mod special;
mod value;

use crate::{Gvk, data};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Media type of these bodies.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";
const META: &str = "k8s.io.apimachinery.pkg.apis.meta.v1";
const ENVELOPE: &str = "k8s.io.apimachinery.pkg.runtime.Unknown";

/// Why a body can't be read: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// Does not begin with Kubernetes' four bytes.
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    Magic,
    /// The kind has no descriptor here.
    #[error("no kind \"{0}\" is registered for protobuf")]
    UnknownKind(String),
    /// Bytes that are no such message.
    #[error("unable to decode protobuf: {0}")]
    Malformed(String),
}

/// Descriptors, and what JSON needs beside them. Made at the first protobuf body.
struct Wire {
    pool: DescriptorPool,
    facts: Value,
}

static WIRE: LazyLock<Wire> = LazyLock::new(|| Wire {
    pool: DescriptorPool::decode(data::inflate(data::DESCRIPTORS).as_slice()).unwrap_or_default(),
    facts: data::json(data::FIELDS),
});

impl Wire {
    fn message(&self, gvk: &Gvk) -> Option<MessageDescriptor> {
        let package = self.facts["packages"].get(gvk.api_version()).and_then(Value::as_str);
        let find = |package: &str| self.pool.get_message_by_name(&format!("{package}.{}", gvk.kind));
        // Bodies that all groups share (`DeleteOptions`) are named with the group they are sent to.
        package.and_then(find).or_else(|| find(META))
    }
}

/// Reads `k8s\0` + `runtime.Unknown` into JSON with `apiVersion` and `kind`. `hint` is the kind that is due where the
/// envelope names none.
pub fn decode(content: &[u8], hint: Option<&Gvk>) -> Result<Value, ProtobufError> {
    let body = content.strip_prefix(MAGIC).ok_or(ProtobufError::Magic)?;
    let envelope =
        WIRE.pool.get_message_by_name(ENVELOPE).ok_or_else(|| ProtobufError::UnknownKind(ENVELOPE.to_owned()))?;
    let envelope = message(&envelope, body)?;
    // The type stands in the envelope itself; its message is inlined.
    let envelope = Value::Object(envelope);
    let said = Gvk::of(&envelope);
    let gvk = said.as_ref().or(hint).ok_or_else(|| ProtobufError::UnknownKind(String::new()))?;
    let raw = match envelope.get("raw") {
        Some(Value::String(raw)) => special::from_base64(raw),
        _ => Vec::new(),
    };
    let descriptor = WIRE.message(gvk).ok_or_else(|| ProtobufError::UnknownKind(gvk.to_string()))?;
    let mut object = message(&descriptor, &raw)?;
    object.insert("apiVersion".to_owned(), json!(gvk.api_version()));
    object.insert("kind".to_owned(), json!(gvk.kind));
    Ok(Value::Object(object))
}

fn message(descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<Map<String, Value>, ProtobufError> {
    let message =
        DynamicMessage::decode(descriptor.clone(), bytes).map_err(|e| ProtobufError::Malformed(e.to_string()))?;
    Ok(value::members(&message, &WIRE.facts))
}

#[cfg(test)]
mod special_tests;
#[cfg(test)]
mod tests;
