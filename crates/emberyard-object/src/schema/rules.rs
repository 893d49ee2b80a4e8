//! Rules of custom resources in CEL (`x-kubernetes-validations`), compiled once for each version of a definition.
//!
//! As `apiextensions-apiserver` has them: evaluated where the structure is right, `oldSelf` only where something was there before.
//! Two things are less: what an expression may cost is not limited (who may write definitions administers the cluster), and a rule
//! that the object broke before is forgiven only while nothing of its top-level field (`spec`, `status`) changes; upstream
//! forgives wherever the value that the rule stands at is unchanged.

use super::Cause;
use kube_cel::{CompiledSchema, ErrorKind, ValidationError, Validator, compile_schema};
use serde_json::Value;
use std::error::Error as _;
use std::sync::Arc;

/// The field of what is wrong with a whole object.
const NOWHERE: &str = "<nil>";
/// Of these faults of structure it is unknown what rules would make of them.
const BLOCKING: [&str; 5] =
    ["FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"];

/// The compiled rules of one schema.
#[derive(Debug, Clone)]
pub struct Rules(Arc<CompiledSchema>);

impl Rules {
    /// Compiles the rules of a published schema; none where it has none. `field` is where the schema stands.
    ///
    /// # Errors
    /// Where and why the first expression can't be compiled.
    pub fn compile(published: &Value, field: &str) -> Result<Option<Self>, (String, String)> {
        if !mentions_rules(published) {
            return Ok(None);
        }
        let compiled = compile_schema(published);
        match first_error(&compiled, field) {
            Some(error) => Err(error),
            None => Ok(Some(Self(Arc::new(compiled)))),
        }
    }

    /// Adds to the faults of an object's structure what it breaks of them, or that they could not be looked at.
    pub(super) fn add(&self, causes: &mut Vec<Cause>, object: &Value, old: Option<&Value>) {
        if causes.iter().any(|cause| BLOCKING.contains(&cause.reason)) {
            causes.push(Cause {
                reason: "FieldValueInvalid",
                field: NOWHERE.to_owned(),
                message: "Invalid value: null: some validation rules were not checked because the object was invalid; \
                          correct the existing errors to complete validation"
                    .to_owned(),
            });
        } else {
            causes.extend(self.check(object, old));
        }
    }

    /// What of them an object breaks that is written in the place of `old`.
    fn check(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let Err(errors) = Validator::new().validate_compiled(&self.0, object, old) else { return Vec::new() };
        let mut causes: Vec<Cause> = errors
            .into_iter()
            .filter(|error| old.is_none_or(|old| changed(&error.field_path, object, old)))
            .map(|error| {
                let reason = reason(error.reason.as_deref());
                let message = message(&self.0, reason, at(object, &error.field_path), &error);
                let field = if error.field_path.is_empty() { NOWHERE.to_owned() } else { error.field_path };
                Cause { reason, field, message }
            })
            .collect();
        causes.sort();
        causes.dedup();
        causes
    }
}

fn mentions_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("x-kubernetes-validations") || map.values().any(mentions_rules),
        Value::Array(list) => list.iter().any(mentions_rules),
        _ => false,
    }
}

fn first_error(schema: &CompiledSchema, field: &str) -> Option<(String, String)> {
    let own = schema.validations.iter().enumerate().find_map(|(index, rule)| {
        let error = rule.as_ref().err()?;
        Some((format!("{field}.x-kubernetes-validations[{index}].rule"), format!("Invalid value: {error}")))
    });
    let mut properties: Vec<_> = schema.properties.iter().collect();
    properties.sort_by_key(|(name, _)| *name);
    own.or_else(|| {
        properties.into_iter().find_map(|(name, inner)| first_error(inner, &format!("{field}.properties[{name}]")))
    })
    .or_else(|| schema.items.as_ref().and_then(|inner| first_error(inner, &format!("{field}.items"))))
    .or_else(|| {
        schema
            .additional_properties
            .as_ref()
            .and_then(|inner| first_error(inner, &format!("{field}.additionalProperties")))
    })
}

/// Whether anything of the top-level field that a path is in differs.
fn changed(path: &str, object: &Value, old: &Value) -> bool {
    match path.split(['.', '[']).next().unwrap_or("") {
        "" | "metadata" => object["spec"] != old["spec"] || object["metadata"]["name"] != old["metadata"]["name"],
        field => object[field] != old[field],
    }
}

/// The reasons that a rule may name (`FieldValueErrorReason`).
fn reason(named: Option<&str>) -> &'static str {
    match named {
        Some("FieldValueForbidden") => "FieldValueForbidden",
        Some("FieldValueRequired") => "FieldValueRequired",
        Some("FieldValueDuplicate") => "FieldValueDuplicate",
        _ => "FieldValueInvalid",
    }
}

/// The text of the cause, in the form of its reason. Of what is no single value upstream does not say it again.
fn message(schema: &CompiledSchema, reason: &str, value: &Value, error: &ValidationError) -> String {
    let said = &error.message;
    match (reason, value) {
        ("FieldValueForbidden", _) => format!("Forbidden: {said}"),
        ("FieldValueRequired", _) => format!("Required value: {said}"),
        ("FieldValueDuplicate", _) => format!("Duplicate value: {value}"),
        _ if error.kind == ErrorKind::EvaluationError => {
            let why = error.source().map_or_else(|| said.clone(), ToString::to_string);
            format!("Invalid value: \"\": {why} evaluating rule: {}", means(schema, &error.rule).unwrap_or(&error.rule))
        }
        (_, Value::Object(_) | Value::Array(_) | Value::Null) => format!("Invalid value: {said}"),
        _ => format!("Invalid value: {value}: {said}"),
    }
}

/// The message of an expression that could not be evaluated.
fn means<'a>(schema: &'a CompiledSchema, expression: &str) -> Option<&'a str> {
    let own = schema.validations.iter().flatten().find(|compiled| compiled.rule.rule == expression);
    let inner = || {
        let mut inner =
            schema.properties.values().chain(schema.items.as_deref()).chain(schema.additional_properties.as_deref());
        inner.find_map(|inner| means(inner, expression))
    };
    own.map_or_else(inner, |compiled| compiled.rule.message.as_deref())
}

/// What stands at a path.
fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.fold(object, |value, part| match part.parse::<usize>() {
        Ok(index) if value.is_array() => &value[index],
        _ => &value[part],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules() -> Rules {
        let schema = json!({
            "type": "object",
            "x-kubernetes-validations": [{"rule": "self.metadata.name.size() <= 5", "message": "too long a name"}],
            "properties": {
                "metadata": {"type": "object"},
                "spec": {
                    "type": "object",
                    "x-kubernetes-validations": [
                        {"rule": "!has(self.copies) || self.copies <= self.nodes", "messageExpression": "'only ' + string(self.nodes) + ' nodes'"},
                        {"rule": "self.nodes >= oldSelf.nodes", "reason": "FieldValueForbidden", "fieldPath": ".nodes", "message": "can't shrink"},
                    ],
                    "properties": {
                        "copies": {"type": "integer"},
                        "nodes": {"type": "integer"},
                        "size": {"x-kubernetes-int-or-string": true, "x-kubernetes-validations": [
                            {"rule": "quantity(string(self)).compareTo(quantity('1Gi')) >= 0"},
                        ]},
                    },
                },
            },
        });
        Rules::compile(&schema, "schema").unwrap().unwrap()
    }

    fn broken(spec: Value, old: Option<Value>) -> Vec<String> {
        let object = |spec: Value| json!({"metadata": {"name": "a"}, "spec": spec});
        rules().check(&object(spec), old.map(object).as_ref()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_broken_is_told_as_upstream_tells_it() {
        assert!(broken(json!({"nodes": 3, "copies": 3, "size": "2Gi"}), None).is_empty());
        assert_eq!(
            broken(json!({"nodes": 3, "copies": 4, "size": 5}), None),
            [
                "spec: Invalid value: only 3 nodes",
                "spec.size: Invalid value: 5: failed rule: quantity(string(self)).compareTo(quantity('1Gi')) >= 0",
            ]
        );
        let long = json!({"metadata": {"name": "abcdef"}, "spec": {"nodes": 1}});
        assert_eq!(rules().check(&long, None)[0].to_string(), "<nil>: Invalid value: too long a name");
    }

    #[test]
    fn a_change_is_judged_by_what_was_before() {
        let old = json!({"nodes": 3});
        assert_eq!(broken(json!({"nodes": 2}), Some(old.clone())), ["spec.nodes: Forbidden: can't shrink"]);
        assert!(broken(json!({"nodes": 4}), Some(old)).is_empty());
        // It was wrong before, and nothing of it changes.
        let wrong = json!({"nodes": 1, "copies": 2});
        assert!(broken(wrong.clone(), Some(wrong)).is_empty());
    }

    #[test]
    fn an_expression_that_is_none_is_told_with_its_place() {
        let schema = json!({"properties": {"spec": {"x-kubernetes-validations": [{"rule": "self.("}]}}});
        let (field, why) = Rules::compile(&schema, "schema").unwrap_err();
        assert_eq!(field, "schema.properties[spec].x-kubernetes-validations[0].rule");
        assert!(why.contains("self.("), "{why}");
        assert!(Rules::compile(&json!({"type": "object"}), "schema").unwrap().is_none());
    }
}
