//! Items of a list and the path elements that name them.

use crate::schema::{ListType, Schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How the items of a granular list are named.
pub struct Granular<'a> {
    /// By keys, or by themselves.
    pub list_type: &'a ListType,
    /// Structure of the items.
    pub items: &'a Schema,
}

impl Granular<'_> {
    /// The path element of each item, in order. An absent key counts as its default (`protocol` of ports).
    pub fn elements(&self, list: &[Value]) -> Result<Vec<String>, String> {
        let elements = list.iter().enumerate().map(|(index, item)| self.element(index, item));
        let elements = elements.collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        match elements.iter().find(|element| !seen.insert(element.as_str())) {
            Some(twice) => Err(format!("duplicate entries for key {}", twice.get(2..).unwrap_or(""))),
            None => Ok(elements),
        }
    }

    fn element(&self, index: usize, item: &Value) -> Result<String, String> {
        let ListType::Map(keys) = self.list_type else { return Ok(format!("v:{item}")) };
        if !item.is_object() {
            return Err(format!("element {index}: associative list with keys may not have non-map elements"));
        }
        let mut identity = Map::new();
        for key in keys {
            let default =
                || -> Option<Value> { self.items.member(key)?.default.clone().filter(|default| default != "") };
            match item.get(key).cloned().or_else(default) {
                Some(value) => drop(identity.insert(key.clone(), value)),
                None if keys.len() == 1 => {
                    return Err(format!(
                        "element {index}: associative list with keys has an element that omits key field \"{key}\""
                    ));
                }
                // One of several keys may be absent (the protocol of an unnamed port is not).
                None => {}
            }
        }
        Ok(format!("k:{}", Value::Object(identity)))
    }
}
