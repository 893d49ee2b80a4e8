//! Checking an object after defaulting: 422 `Invalid` with a cause for each fault.
//!
//! Built-in kinds: required fields and allowed values outside `status`, as far as they are published; what upstream
//! checks in Go beyond that is the request path's business. Custom resources: all that their schema says.

use super::{Checks, ListType, Object, Schema, Shape};
use crate::Kind;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why a field is refused: one entry of `Status.details.causes`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, `FieldValueNotSupported`, `FieldValueTypeInvalid`, …
    pub reason: &'static str,
    /// Where: `spec.containers[0].name`.
    pub field: String,
    /// What is wrong, without the field.
    pub message: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Lists and numbers that must not be empty, where the published `required` alone can't say it (a list may be
/// required and empty, a zero can't be told from absence in Go).
const NOT_ZERO: [(&str, &str); 6] = [
    ("PodSpec", "containers"),
    ("ContainerPort", "containerPort"),
    ("ServicePort", "port"),
    ("PolicyRule", "verbs"),
    ("NodeSelector", "nodeSelectorTerms"),
    ("Endpoint", "addresses"),
];

/// Checks an object that is new or takes the place of `old`. Empty = fine.
pub fn validate(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut walk = Walk { custom: kind.custom, causes: Vec::new() };
    walk.value(object, &kind.schema, "");
    if let Some(rules) = &kind.rules {
        rules.add(&mut walk.causes, object, old);
    }
    walk.causes
}

struct Walk {
    custom: bool,
    causes: Vec<Cause>,
}

impl Walk {
    fn refuse(&mut self, reason: &'static str, field: &str, message: String) {
        self.causes.push(Cause { reason, field: field.to_owned(), message });
    }

    fn value(&mut self, value: &Value, schema: &Schema, path: &str) {
        let resolved = schema.resolve();
        let definition = schema.definition_name();
        let custom_here = self.custom && definition.is_empty();
        if value.is_null() && (schema.nullable || !custom_here) {
            return;
        }
        match (&resolved.shape, value) {
            (Shape::Object(object), Value::Object(_)) => {
                self.object(value, object, definition.rsplit('.').next().unwrap_or(""), path);
            }
            (Shape::Map { values, .. }, Value::Object(map)) => {
                for (key, inner) in map {
                    self.value(inner, values, &join(path, key));
                }
            }
            (Shape::List { items, list_type }, Value::Array(list)) => {
                for (index, item) in list.iter().enumerate() {
                    self.value(item, items, &format!("{path}[{index}]"));
                }
                if custom_here {
                    self.unique(list, list_type, path);
                }
            }
            (shape, value) if custom_here => {
                if let Some(wanted) = mismatch(shape, value) {
                    let message = format!(
                        "Invalid value: \"{}\": {path} in body must be of type {wanted}: \"{}\"",
                        json_type(value),
                        json_type(value)
                    );
                    self.refuse("FieldValueTypeInvalid", path, message);
                    return;
                }
            }
            _ => {}
        }
        for checks in [&schema.checks, &resolved.checks].into_iter().flatten() {
            self.checks(value, checks, path);
            if std::ptr::eq(schema, resolved) {
                break;
            }
        }
    }

    fn object(&mut self, value: &Value, object: &Object, name: &str, path: &str) {
        for field in &object.required {
            let schema = object.properties.get(field).map(Schema::resolve);
            let inner = value.get(field);
            let missing = if self.custom && name.is_empty() {
                inner.is_none()
            } else {
                let text = schema.is_some_and(|s| matches!(s.shape, Shape::String(_)));
                text && inner.and_then(Value::as_str).unwrap_or("").is_empty()
            };
            if missing {
                self.refuse("FieldValueRequired", &join(path, field), "Required value".to_owned());
            }
        }
        for (_, field) in NOT_ZERO.iter().filter(|(owner, _)| *owner == name) {
            if value.get(*field).is_none_or(super::zero::is_zero) {
                self.refuse("FieldValueRequired", &join(path, field), "Required value".to_owned());
            }
        }
        for (key, schema) in &object.properties {
            // Upstream checks a status only in part; agents may write one that lacks "required" texts.
            let skip = !self.custom && path.is_empty() && key == "status";
            if let Some(inner) = value.get(key)
                && !skip
            {
                self.value(inner, schema, &join(path, key));
            }
        }
    }

    fn unique(&mut self, list: &[Value], list_type: &ListType, path: &str) {
        let mut seen = BTreeSet::new();
        for (index, item) in list.iter().enumerate() {
            let identity = match list_type {
                ListType::Atomic => return,
                ListType::Set => item.clone(),
                ListType::Map(keys) => {
                    keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect()
                }
            };
            if !seen.insert(identity.to_string()) {
                self.refuse("FieldValueDuplicate", &format!("{path}[{index}]"), format!("Duplicate value: {identity}"));
            }
        }
    }

    fn checks(&mut self, value: &Value, checks: &Checks, path: &str) {
        if !checks.allowed.is_empty() && !checks.allowed.contains(value) && (self.custom || value.as_str() != Some(""))
        {
            let allowed: Vec<String> = checks.allowed.iter().map(Value::to_string).collect();
            let message = format!("Unsupported value: {value}: supported values: {}", allowed.join(", "));
            self.refuse("FieldValueNotSupported", path, message);
        }
        for fault in faults(value, checks) {
            self.refuse("FieldValueInvalid", path, format!("Invalid value: {value}: {path} in body {fault}"));
        }
        for inner in &checks.all_of {
            self.value(value, inner, path);
        }
        let holds = |schema: &Schema| {
            let mut walk = Self { custom: true, causes: Vec::new() };
            walk.value(value, schema, path);
            walk.causes.is_empty()
        };
        let any = checks.any_of.is_empty() || checks.any_of.iter().any(holds);
        let one = checks.one_of.is_empty() || checks.one_of.iter().filter(|schema| holds(schema)).count() == 1;
        let not = checks.not.as_deref().is_some_and(holds);
        for (broken, fault) in [
            (!any, "must validate at least one schema (anyOf)"),
            (!one, "must validate one and only one schema (oneOf)"),
            (not, "must not validate the schema (not)"),
        ] {
            if broken {
                self.refuse("FieldValueInvalid", path, format!("Invalid value: {value}: {path} in body {fault}"));
            }
        }
    }
}

fn faults(value: &Value, checks: &Checks) -> Vec<String> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(0.0);
            if let Some((least, exclusive)) = checks.minimum {
                let holds = if exclusive { number > least } else { number >= least };
                require(
                    holds,
                    format!("should be greater than {}{least}", if exclusive { "" } else { "or equal to " }),
                );
            }
            if let Some((most, exclusive)) = checks.maximum {
                let holds = if exclusive { number < most } else { number <= most };
                require(holds, format!("should be less than {}{most}", if exclusive { "" } else { "or equal to " }));
            }
            if let Some(step) = checks.multiple_of {
                require((number / step).fract() == 0.0, format!("should be a multiple of {step}"));
            }
        }
        Value::String(text) => {
            let length = text.chars().count();
            sized(length, checks.min_length, checks.max_length, "chars long", &mut require);
            if let Some(pattern) = &checks.pattern {
                require(pattern.is_match(text), format!("should match '{pattern}'"));
            }
        }
        Value::Array(list) => sized(list.len(), checks.min_items, checks.max_items, "items", &mut require),
        Value::Object(map) => {
            sized(map.len(), checks.min_properties, checks.max_properties, "properties", &mut require);
        }
        Value::Null | Value::Bool(_) => {}
    }
    faults
}

fn sized(count: usize, least: Option<usize>, most: Option<usize>, what: &str, require: &mut dyn FnMut(bool, String)) {
    if let Some(least) = least {
        require(count >= least, format!("should have at least {least} {what}"));
    }
    if let Some(most) = most {
        require(count <= most, format!("should have at most {most} {what}"));
    }
}

/// The type that was due, if `value` is not of it.
fn mismatch(shape: &Shape, value: &Value) -> Option<&'static str> {
    let (fits, wanted) = match shape {
        Shape::Any | Shape::Ref(_) => return None,
        Shape::Object(_) | Shape::Map { .. } => (value.is_object(), "object"),
        Shape::List { .. } => (value.is_array(), "array"),
        Shape::String(_) => (value.is_string(), "string"),
        Shape::Integer { .. } => (value.as_f64().is_some_and(|number| number.fract() == 0.0), "integer"),
        Shape::Number => (value.is_number(), "number"),
        Shape::Boolean => (value.is_boolean(), "boolean"),
        Shape::IntOrString => (value.is_string() || value.is_i64(), "integer,string"),
        Shape::Quantity => (value.is_string() || value.is_number(), "string"),
    };
    (!fits).then_some(wanted)
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
