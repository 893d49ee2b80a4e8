//! Reading a body as its kind: types checked, unknown fields dropped, values in canonical form.
//!
//! Built-in kinds follow what decoding into Go structs does: null and (where Go leaves it out) the zero value are the
//! same as absent. Custom resources are only pruned here; [`super::validate()`] checks their types.

use super::zero::is_zero;
use super::{Object, Schema, Shape, StringFormat, canonical_quantity};
use crate::{Gvk, Kind};
use base64::Engine;
use emberyard_model::Timestamp;
use serde_json::{Map, Value, json};

/// What to do with fields nobody knows and fields given twice (query parameter `fieldValidation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// Refuse.
    Strict,
    /// Drop them and warn.
    #[default]
    Warn,
    /// Drop them silently.
    Ignore,
}

impl FieldValidation {
    /// From the query parameter; absent or empty is `Warn`. `None` for other words.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text.unwrap_or("") {
            "" | "Warn" => Some(Self::Warn),
            "Strict" => Some(Self::Strict),
            "Ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}

/// A body as the server understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The object, with `apiVersion` and `kind`.
    pub value: Value,
    /// To be sent as `Warning` headers.
    pub warnings: Vec<String>,
}

/// A body that can't be read as its kind: 400 `BadRequest` with this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It says it is of another API version.
    #[error("the API version in the data ({given}) does not match the expected API version ({due})")]
    Version {
        /// What it says.
        given: String,
        /// What the path says.
        due: String,
    },
    /// Anything else.
    #[error("{kind} in version \"{version}\" cannot be handled as a {due}: {message}")]
    Body {
        /// Kind it says it is.
        kind: String,
        /// Its version.
        version: String,
        /// Kind that was due.
        due: String,
        /// What is wrong.
        message: String,
    },
}

/// Reads `value` as an object of `kind`. `duplicates` are the paths [`crate::json::parse`] found.
pub fn decode(kind: &Kind, value: Value, duplicates: &[String], mode: FieldValidation) -> Result<Decoded, DecodeError> {
    decode_as(&kind.gvk, &kind.schema, kind.custom, value, duplicates, mode)
}

/// Reads `value` as a body that is no kind of its own: that of a subresource, or `DeleteOptions`.
pub fn decode_as(
    gvk: &Gvk,
    schema: &Schema,
    custom: bool,
    mut value: Value,
    duplicates: &[String],
    mode: FieldValidation,
) -> Result<Decoded, DecodeError> {
    let fail = |message: String| DecodeError::Body {
        kind: gvk.kind.clone(),
        version: gvk.version.clone(),
        due: gvk.kind.clone(),
        message,
    };
    if !value.is_object() {
        return Err(fail(format!("json: cannot unmarshal {} into Go value of type {}", go_name(&value), gvk.kind)));
    }
    identify(gvk, &mut value)?;
    let mut decoder = Decoder { custom, path: String::new(), unknown: Vec::new() };
    decoder.value(&mut value, schema, "").map_err(fail)?;
    let odd: Vec<String> = duplicates
        .iter()
        .map(|path| format!("duplicate field \"{path}\""))
        .chain(decoder.unknown.iter().map(|path| format!("unknown field \"{path}\"")))
        .collect();
    match mode {
        FieldValidation::Strict if !odd.is_empty() => Err(fail(format!("strict decoding error: {}", odd.join(", ")))),
        FieldValidation::Warn => Ok(Decoded { value, warnings: odd }),
        _ => Ok(Decoded { value, warnings: Vec::new() }),
    }
}

/// Checks what the body says it is, and fills it in where it says nothing.
fn identify(gvk: &Gvk, value: &mut Value) -> Result<(), DecodeError> {
    let due = gvk.api_version();
    let said = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let (given, kind) = (said("apiVersion"), said("kind"));
    if !kind.is_empty() && kind != gvk.kind {
        let version = Gvk::from_api_version(&given, &kind).version;
        let message = format!("converting ({version}.{kind}) to ({}.{}): unknown conversion", gvk.version, gvk.kind);
        return Err(DecodeError::Body { kind, version, due: gvk.kind.clone(), message });
    }
    if !given.is_empty() && given != due {
        return Err(DecodeError::Version { given, due });
    }
    value["apiVersion"] = json!(due);
    value["kind"] = json!(gvk.kind);
    Ok(())
}

struct Decoder {
    custom: bool,
    path: String,
    unknown: Vec<String>,
}

impl Decoder {
    /// Runs `inner` with the path extended, as `.name` or `[index]`.
    fn under<T>(&mut self, step: &str, inner: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !step.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(step);
        let result = inner(self);
        self.path.truncate(length);
        result
    }

    /// `owner` is the Go struct that the value is a field of.
    fn value(&mut self, value: &mut Value, schema: &Schema, owner: &str) -> Result<(), String> {
        let resolved = schema.resolve();
        let short = schema.definition_name().rsplit('.').next().unwrap_or("");
        let custom_here = self.custom && short.is_empty();
        match (&resolved.shape, &mut *value) {
            (Shape::Any | Shape::Ref(_), _) => Ok(()),
            (Shape::Object(object), Value::Object(map)) => self.object(map, object, short),
            (Shape::Map { values, .. }, Value::Object(map)) => self.map(map, values, owner),
            (Shape::List { items, .. }, Value::Array(list)) => {
                for (index, item) in list.iter_mut().enumerate() {
                    self.under(&format!("[{index}]"), |inner| inner.value(item, items, owner))?;
                }
                Ok(())
            }
            // A custom resource's own fields are checked by `validate`, with other words.
            _ if custom_here => Ok(()),
            _ => self.scalar(value, &resolved.shape, owner, short),
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, object: &Object, owner: &str) -> Result<(), String> {
        let keys: Vec<String> = map.keys().cloned().collect();
        for key in keys {
            let embedded = object.embedded && matches!(key.as_str(), "apiVersion" | "kind" | "metadata");
            let Some(schema) = object.properties.get(&key) else {
                if !object.preserve_unknown && !embedded {
                    map.remove(&key);
                    self.under(&key, |inner| inner.unknown.push(inner.path.clone()));
                }
                continue;
            };
            let Some(value) = map.get_mut(&key) else { continue };
            if value.is_null() && !schema.nullable && !matches!(schema.resolve().shape, Shape::Any) {
                map.remove(&key);
                continue;
            }
            self.under(&key, |inner| inner.value(value, schema, owner))?;
            if schema.omit_zero && is_zero(value) {
                map.remove(&key);
            }
        }
        Ok(())
    }

    fn map(&mut self, map: &mut Map<String, Value>, values: &Schema, owner: &str) -> Result<(), String> {
        for (key, value) in map {
            if value.is_null() && matches!(values.resolve().shape, Shape::String(_)) {
                *value = json!("");
            }
            self.under(key, |inner| inner.value(value, values, owner))?;
        }
        Ok(())
    }

    fn scalar(&self, value: &mut Value, shape: &Shape, owner: &str, short: &str) -> Result<(), String> {
        match (shape, &*value) {
            (Shape::String(format), Value::String(text)) => {
                if let Some(canonical) = formatted(*format, text)? {
                    *value = json!(canonical);
                }
                Ok(())
            }
            (Shape::Boolean, Value::Bool(_))
            | (Shape::Number, Value::Number(_))
            | (Shape::IntOrString, Value::String(_)) => Ok(()),
            (Shape::Integer { bits: 64 }, Value::Number(number)) if number.is_i64() => Ok(()),
            (Shape::Integer { bits: 32 } | Shape::IntOrString, Value::Number(number))
                if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) =>
            {
                Ok(())
            }
            (Shape::Quantity, Value::String(_) | Value::Number(_)) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let canonical = canonical_quantity(&text).ok_or(
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                )?;
                *value = json!(canonical);
                Ok(())
            }
            (shape, value) => {
                let given = match value {
                    Value::Number(number) if matches!(shape, Shape::Integer { .. }) => format!("number {number}"),
                    other => go_name(other).to_owned(),
                };
                let field = without_indices(&self.path);
                Err(format!(
                    "json: cannot unmarshal {given} into Go struct field {owner}.{field} of type {}",
                    go_type(shape, short)
                ))
            }
        }
    }
}

/// The canonical text, if it differs from the one given.
fn formatted(format: StringFormat, text: &str) -> Result<Option<String>, String> {
    let time = || {
        Timestamp::parse(text).map_err(|_| {
            format!("parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{text}\" as \"2006\"")
        })
    };
    match format {
        StringFormat::Plain => Ok(None),
        StringFormat::Time => time().map(|time| Some(time.rfc3339())),
        StringFormat::MicroTime => time().map(|time| Some(time.rfc3339_micro())),
        StringFormat::Bytes => {
            let clean: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            match base64::engine::general_purpose::STANDARD.decode(&clean) {
                Ok(_) => Ok((clean != text).then_some(clean)),
                Err(base64::DecodeError::InvalidByte(at, _)) => Err(format!("illegal base64 data at input byte {at}")),
                Err(_) => Err(format!("illegal base64 data at input byte {}", clean.len())),
            }
        }
    }
}

fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn go_type(shape: &Shape, short: &str) -> String {
    match shape {
        Shape::Object(_) | Shape::Any | Shape::Ref(_) => format!("v1.{short}"),
        Shape::Map { values, .. } => format!(
            "map[string]{}",
            go_type(&values.resolve().shape, values.definition_name().rsplit('.').next().unwrap_or(""))
        ),
        Shape::List { items, .. } => {
            format!("[]{}", go_type(&items.resolve().shape, items.definition_name().rsplit('.').next().unwrap_or("")))
        }
        Shape::String(StringFormat::Bytes) => "[]uint8".to_owned(),
        Shape::String(StringFormat::Plain) => "string".to_owned(),
        Shape::String(StringFormat::Time) => "v1.Time".to_owned(),
        Shape::String(StringFormat::MicroTime) => "v1.MicroTime".to_owned(),
        Shape::Integer { bits } => format!("int{bits}"),
        Shape::Number => "float64".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::IntOrString => "intstr.IntOrString".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
    }
}

fn without_indices(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|&c| {
            let keep = !inside && c != '[';
            inside = (inside || c == '[') && c != ']';
            keep
        })
        .collect()
}
