//! Rules of custom resources in CEL (`x-kubernetes-validations`), compiled once for each version of a definition.
//!
//! As `apiextensions-apiserver` has them: evaluated where the structure is right, `oldSelf` only where something was there before.
//! Two things are less: what an expression may cost is not limited (who may write definitions administers the cluster), and a rule
//! that the object broke before is forgiven only while nothing of its top-level field (`spec`, `status`) changes; upstream
//! forgives wherever the value that the rule stands at is unchanged.

use super::Cause;
use kube_cel::{CompiledSchema, Validator, compile_schema};
use serde_json::Value;
use std::sync::Arc;

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

    /// What of them an object breaks that is written in the place of `old`. Its structure must be right.
    pub fn check(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let Err(errors) = Validator::new().validate_compiled(&self.0, object, old) else { return Vec::new() };
        let mut causes: Vec<Cause> = errors
            .into_iter()
            .filter(|error| old.is_none_or(|old| changed(&error.field_path, object, old)))
            .map(|error| Cause {
                reason: reason(error.reason.as_deref()),
                message: message(reason(error.reason.as_deref()), value_type(object, &error.field_path), &error.message),
                field: if error.field_path.is_empty() { "<nil>".to_owned() } else { error.field_path },
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
        schema.additional_properties.as_ref().and_then(|inner| first_error(inner, &format!("{field}.additionalProperties")))
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

/// The text of the cause, in the form of its reason.
fn message(reason: &str, value_type: &str, said: &str) -> String {
    match reason {
        "FieldValueForbidden" => format!("Forbidden: {said}"),
        "FieldValueRequired" => format!("Required value: {said}"),
        "FieldValueDuplicate" => format!("Duplicate value: \"{value_type}\""),
        _ => format!("Invalid value: \"{value_type}\": {said}"),
    }
}

/// The type of what stands at a path, as schemas name it.
fn value_type<'a>(object: &'a Value, path: &str) -> &'a str {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let value = parts.fold(object, |value, part| match part.parse::<usize>() {
        Ok(index) if value.is_array() => &value[index],
        _ => &value[part],
    });
    match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) | Value::Null => "object",
    }
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
                "spec: Invalid value: \"object\": only 3 nodes",
                "spec.size: Invalid value: \"integer\": failed rule: quantity(string(self)).compareTo(quantity('1Gi')) >= 0",
            ]
        );
        let long = json!({"metadata": {"name": "abcdef"}, "spec": {"nodes": 1}});
        assert_eq!(rules().check(&long, None)[0].to_string(), "<nil>: Invalid value: \"object\": too long a name");
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
