//! Reading bodies: JSON that reports fields given twice, and YAML.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A body and what was odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The value; of a field given twice the last one counts.
    pub value: Value,
    /// Paths of fields given twice, in the order they came.
    pub duplicates: Vec<String>,
}

/// A body that is no JSON (or YAML).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(pub String);

/// Reads JSON. Nesting is limited to 128 levels.
pub fn parse(bytes: &[u8]) -> Result<Parsed, JsonError> {
    let mut duplicates = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Seed { path: String::new(), duplicates: &mut duplicates };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map(|value| Parsed { value, duplicates }).map_err(|e| JsonError(e.to_string()))
}

/// Reads YAML (a single document), of which JSON is a part. A key given twice is an error here.
pub fn parse_yaml(bytes: &[u8]) -> Result<Parsed, JsonError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        return parse(bytes);
    }
    serde_yaml_ng::from_slice(bytes)
        .map(|value| Parsed { value, duplicates: Vec::new() })
        .map_err(|e| JsonError(e.to_string()))
}

/// Reads one value that stands at `path`.
struct Seed<'a> {
    path: String,
    duplicates: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, list.len());
            match items.next_element_seed(Seed { path, duplicates: &mut *self.duplicates })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if map.contains_key(&key) {
                self.duplicates.push(path.clone());
            }
            let value = members.next_value_seed(Seed { path, duplicates: &mut *self.duplicates })?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_duplicates_by_path() {
        let parsed = parse(br#"{"a":1,"spec":{"c":[{"n":1,"n":2}],"x":1,"x":{"y":1}},"a":2}"#).unwrap();
        assert_eq!(parsed.duplicates, ["spec.c[0].n", "spec.x", "a"]);
        assert_eq!(parsed.value, json!({"a": 2, "spec": {"c": [{"n": 2}], "x": {"y": 1}}}));
    }

    #[test]
    fn refuses_what_is_no_json() {
        for bad in ["", "{", "{\"a\":}", "1 2", "{\"a\":1,}", &"[".repeat(1000), "\u{1}"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(parse_yaml(b"a:\n- b: 1\n").unwrap().value, json!({"a": [{"b": 1}]}));
        assert!(parse_yaml(b"a: [").is_err());
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}:,\"a0-9. truefalsn-]{0,60}") {
            let ours = parse(text.as_bytes()).map(|parsed| parsed.value).ok();
            let theirs = serde_json::from_str::<Value>(&text).ok();
            proptest::prop_assert_eq!(ours, theirs);
        }
    }
}
