//! Schemas out of OpenAPI: the published one of built-in kinds, and those in custom resource definitions.

use super::{Checks, Definition, ListType, Object, PatchRule, Schema, Shape, StringFormat};
use crate::catalog::CrdError;
use regex::Regex;
use serde_json::Value;

type Find<'a> = dyn Fn(&str) -> Option<Definition> + 'a;

/// A built-in definition. `find` looks up what `$ref` names.
pub(super) fn read_builtin(name: &str, json: &Value, find: &Find<'_>) -> Schema {
    let shape = match name.rsplit('.').next().unwrap_or("") {
        "Quantity" => Some(Shape::Quantity),
        "IntOrString" => Some(Shape::IntOrString),
        "MicroTime" => Some(Shape::String(StringFormat::MicroTime)),
        _ => None,
    };
    shape.map_or_else(|| builtin(json, find), Schema::of)
}

fn builtin(json: &Value, find: &Find<'_>) -> Schema {
    let reference = json.get("$ref").or_else(|| json["allOf"].get(0)?.get("$ref")).and_then(Value::as_str);
    let shape = match reference {
        Some(reference) => find(reference.rsplit('/').next().unwrap_or("")).map_or(Shape::Any, Shape::Ref),
        None => shape(json, &mut |inner| Ok(builtin(inner, find)), true).unwrap_or(Shape::Any),
    };
    let allowed: Vec<Value> = json["enum"].as_array().cloned().unwrap_or_default();
    let checks = (!allowed.is_empty()).then(|| Box::new(Checks { allowed, ..Checks::default() }));
    Schema { checks, ..common(json, shape) }
}

/// A schema of a custom resource definition. `field` is where it stands, for messages.
pub fn read_custom(json: &Value, field: &str) -> Result<Schema, CrdError> {
    let inner_shape = shape(json, &mut |inner| read_custom(inner, field), false)?;
    let checks = custom_checks(json, field)?;
    Ok(Schema { checks, ..common(json, inner_shape) })
}

fn common(json: &Value, shape: Shape) -> Schema {
    let strategy = text(json, "x-kubernetes-patch-strategy");
    let says = |word: &str| strategy.split(',').any(|part| part == word);
    Schema {
        default: json.get("default").cloned(),
        nullable: flag(json, "nullable"),
        omit_zero: flag(json, "x-omit-zero"),
        patch: PatchRule {
            merge: says("merge"),
            retain_keys: says("retainKeys"),
            merge_key: json.get("x-kubernetes-patch-merge-key").and_then(Value::as_str).map(str::to_owned),
        },
        ..Schema::of(shape)
    }
}

fn shape(
    json: &Value,
    read: &mut dyn FnMut(&Value) -> Result<Schema, CrdError>,
    builtin: bool,
) -> Result<Shape, CrdError> {
    if flag(json, "x-kubernetes-int-or-string") || text(json, "format") == "int-or-string" {
        return Ok(Shape::IntOrString);
    }
    Ok(match text(json, "type") {
        "object" => object(json, read, builtin)?,
        "" if json.get("properties").is_some() || json.get("required").is_some() => object(json, read, builtin)?,
        "array" => Shape::List {
            items: Box::new(json.get("items").map_or(Ok(Schema::ANY), read)?),
            list_type: list_type(json),
        },
        "string" => Shape::String(match text(json, "format") {
            "date-time" if builtin => StringFormat::Time,
            "byte" if builtin => StringFormat::Bytes,
            _ => StringFormat::Plain,
        }),
        "integer" => Shape::Integer { bits: if text(json, "format") == "int32" { 32 } else { 64 } },
        "number" => Shape::Number,
        "boolean" => Shape::Boolean,
        _ => Shape::Any,
    })
}

fn object(
    json: &Value,
    read: &mut dyn FnMut(&Value) -> Result<Schema, CrdError>,
    builtin: bool,
) -> Result<Shape, CrdError> {
    let atomic = text(json, "x-kubernetes-map-type") == "atomic";
    let properties = json.get("properties").and_then(Value::as_object);
    if properties.is_none() {
        match json.get("additionalProperties") {
            Some(Value::Bool(true)) => return Ok(Shape::Map { values: Box::new(Schema::ANY), atomic }),
            Some(values @ Value::Object(_)) => return Ok(Shape::Map { values: Box::new(read(values)?), atomic }),
            _ => {}
        }
    }
    let mut fields = Object {
        required: json["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|n| n.as_str().map(str::to_owned))
            .collect(),
        preserve_unknown: flag(json, "x-kubernetes-preserve-unknown-fields")
            || (builtin && properties.is_none())
            || text(json, "type").is_empty(),
        atomic,
        embedded: flag(json, "x-kubernetes-embedded-resource"),
        ..Object::default()
    };
    for (name, property) in properties.into_iter().flatten() {
        fields.properties.insert(name.clone(), read(property)?);
    }
    Ok(Shape::Object(fields))
}

fn list_type(json: &Value) -> ListType {
    match text(json, "x-kubernetes-list-type") {
        "set" => ListType::Set,
        "map" => {
            let keys = json["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            ListType::Map(keys.filter_map(|key| key.as_str().map(str::to_owned)).collect())
        }
        _ => ListType::Atomic,
    }
}

/// Keys of a schema that constrain beyond the type.
const CONSTRAINTS: [&str; 15] = [
    "enum",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];

fn custom_checks(json: &Value, field: &str) -> Result<Option<Box<Checks>>, CrdError> {
    let number = |key: &str| json.get(key).and_then(Value::as_f64);
    let count = |key: &str| json.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let schemas = |key: &str| -> Result<Vec<Schema>, CrdError> {
        json[key].as_array().into_iter().flatten().map(|inner| read_custom(inner, field)).collect()
    };
    let pattern = match json.get("pattern").and_then(Value::as_str) {
        Some(text) => Some(Regex::new(text).map_err(|_| CrdError::Schema {
            field: format!("{field}.pattern"),
            message: format!("Invalid value: \"{text}\": must be a valid regular expression"),
        })?),
        None => None,
    };
    let checks = Checks {
        allowed: json["enum"].as_array().cloned().unwrap_or_default(),
        minimum: number("minimum").map(|n| (n, flag(json, "exclusiveMinimum"))),
        maximum: number("maximum").map(|n| (n, flag(json, "exclusiveMaximum"))),
        multiple_of: number("multipleOf"),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        pattern,
        min_items: count("minItems"),
        max_items: count("maxItems"),
        min_properties: count("minProperties"),
        max_properties: count("maxProperties"),
        all_of: schemas("allOf")?,
        any_of: if flag(json, "x-kubernetes-int-or-string") { Vec::new() } else { schemas("anyOf")? },
        one_of: schemas("oneOf")?,
        not: json.get("not").map(|inner| read_custom(inner, field).map(Box::new)).transpose()?,
    };
    Ok(CONSTRAINTS.iter().any(|key| json.get(*key).is_some()).then(|| Box::new(checks)))
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or("")
}

fn flag(json: &Value, key: &str) -> bool {
    json.get(key).and_then(Value::as_bool).unwrap_or(false)
}
