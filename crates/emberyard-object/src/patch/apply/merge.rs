//! Putting a configuration onto an object, and taking away what its owner no longer asks for.

use super::diff::{Node, member, node};
use super::elements::Granular;
use super::fields::FieldSet;
use crate::schema::{ListType, Schema, Shape};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// `config` over `live`: members and items merge, all else is replaced; null takes away.
pub fn merge(live: &Value, config: &Value, schema: &Schema) -> Result<Value, String> {
    match (node(live, schema), node(config, schema)) {
        (before, Node::Members(changes)) => {
            let mut result = match before {
                Node::Members(map) => map.clone(),
                _ => Map::new(),
            };
            for (key, change) in changes {
                if change.is_null() {
                    result.remove(key);
                    continue;
                }
                let merged = merge(result.get(key).unwrap_or(&Value::Null), change, member(schema, key))?;
                result.insert(key.clone(), merged);
            }
            Ok(Value::Object(result))
        }
        (before, Node::Items(changes, granular)) => {
            let before = match before {
                Node::Items(list, _) => list,
                _ => &[],
            };
            merge_items(before, changes, &granular).map(Value::Array)
        }
        (_, Node::Whole) => Ok(config.clone()),
    }
}

/// Items in the order of the configuration; those only the object has stay before the item they preceded.
fn merge_items(before: &[Value], changes: &[Value], granular: &Granular<'_>) -> Result<Vec<Value>, String> {
    let wanted = granular.elements(changes)?;
    // An object may hold items that can't be told apart; then they are left to the new ones.
    let held = granular.elements(before).unwrap_or_default();
    let places: BTreeMap<&str, usize> = held.iter().enumerate().map(|(place, known)| (known.as_str(), place)).collect();
    let asked: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let others = |from: usize, to: usize| {
        let range = held.iter().zip(before).take(to).skip(from);
        range.filter(|(element, _)| !asked.contains(element.as_str())).map(|(_, item)| item.clone())
    };
    let mut result = Vec::new();
    let mut next = 0;
    for (element, change) in wanted.iter().zip(changes) {
        let Some(&place) = places.get(element.as_str()) else {
            result.push(change.clone());
            continue;
        };
        if next <= place {
            result.extend(others(next, place));
            next = place + 1;
        }
        result.push(merge(before.get(place).unwrap_or(&Value::Null), change, granular.items)?);
    }
    result.extend(others(next, held.len()));
    Ok(result)
}

/// Takes away the fields in `last` that nothing in `kept` holds, at or below.
pub fn prune(value: &mut Value, schema: &Schema, last: &FieldSet, kept: &FieldSet) {
    let nothing = FieldSet::default();
    match value {
        Value::Object(map) => {
            for (element, below) in &last.children {
                let Some(key) = element.strip_prefix("f:") else { continue };
                let kept = kept.children.get(element).unwrap_or(&nothing);
                if below.owned && kept.is_empty() {
                    map.remove(key);
                } else if let Some(inner) = map.get_mut(key) {
                    let had = !is_void(inner);
                    prune(inner, member(schema, key), below, kept);
                    if had && is_void(inner) && kept.is_empty() {
                        map.remove(key);
                    }
                }
            }
        }
        Value::Array(list) => {
            let Shape::List { items, list_type } = &schema.resolve().shape else { return };
            if *list_type == ListType::Atomic {
                return;
            }
            let Ok(elements) = (Granular { list_type, items }).elements(list) else { return };
            let mut elements = elements.into_iter();
            list.retain_mut(|item| {
                let Some(element) = elements.next() else { return true };
                let Some(below) = last.children.get(&element) else { return true };
                let kept = kept.children.get(&element).unwrap_or(&nothing);
                if kept.is_empty() {
                    return false;
                }
                prune(item, items, below, kept);
                true
            });
        }
        _ => {}
    }
}

fn is_void(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
