//! Strategic merge patch: lists merge by published keys.
//!
//! Rule source: `k8s.io/apimachinery/pkg/util/strategicpatch` (directives `$patch`, `$retainKeys`,
//! `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`).

use super::PatchError;
use crate::Kind;
use crate::schema::{PatchRule, Schema, Shape};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

type Members = Map<String, Value>;

/// Strategic merge patch, by the published merge keys of `kind`. Custom resources have none: 415 is the caller's answer.
pub fn strategic(kind: &Kind, target: &Value, patch: &Value) -> Result<Value, PatchError> {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return Err(malformed("a strategic merge patch must be an object"));
    };
    merge_members(target.clone(), patch, &kind.schema).map(Value::Object)
}

fn malformed(text: &str) -> PatchError {
    PatchError::Malformed(text.to_owned())
}

fn merge_members(mut target: Members, patch: &Members, schema: &Schema) -> Result<Members, PatchError> {
    match patch.get(PATCH).map(Value::as_str) {
        None | Some(Some("merge")) => {}
        Some(Some("replace")) => {
            return Ok(patch.iter().filter(|(key, _)| *key != PATCH).map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        Some(Some("delete")) => return Ok(Members::new()),
        Some(other) => return Err(malformed(&format!("Unknown patch type: {} found", other.unwrap_or("no text")))),
    }
    if let Some(keys) = patch.get(RETAIN_KEYS) {
        let keys = keys.as_array().ok_or_else(|| malformed("$retainKeys must be a list"))?;
        target.retain(|key, _| keys.iter().any(|kept| kept.as_str() == Some(key)));
    }
    for (key, change) in patch {
        if key.starts_with('$') {
            continue;
        }
        let member = schema.member(key);
        let rule = member.map(|member| member.patch.clone()).unwrap_or_default();
        let member = member.unwrap_or(&ANY);
        if change.is_null() {
            target.remove(key);
            continue;
        }
        let before = target.remove(key);
        let order = patch.get(&format!("{ORDER}{key}"));
        let after = merge_value(before, change, member, &rule, order)?;
        target.extend(after.map(|after| (key.clone(), after)));
    }
    primitive_deletions(&mut target, patch)?;
    // An order may come alone: the list itself does not change then, only the sequence of its items.
    for (key, order) in patch.iter().filter_map(|(key, order)| Some((key.strip_prefix(ORDER)?, order))) {
        if !patch.contains_key(key)
            && let Some(Value::Array(list)) = target.get_mut(key)
        {
            let merge_key = schema.member(key).and_then(|member| member.patch.merge_key.clone());
            *list = ordered(std::mem::take(list), order, merge_key.as_deref())?;
        }
    }
    Ok(target)
}

static ANY: Schema = Schema::ANY;

fn merge_value(
    before: Option<Value>,
    change: &Value,
    schema: &Schema,
    rule: &PatchRule,
    order: Option<&Value>,
) -> Result<Option<Value>, PatchError> {
    match (before, change) {
        (before, Value::Object(change)) => {
            if change.get(PATCH) == Some(&Value::String("delete".to_owned())) {
                return Ok(None);
            }
            let before = match before {
                Some(Value::Object(before)) => before,
                _ => Members::new(),
            };
            merge_members(before, change, schema).map(|merged| Some(Value::Object(merged)))
        }
        (before, Value::Array(change)) if rule.merge => {
            let before = match before {
                Some(Value::Array(before)) => before,
                _ => Vec::new(),
            };
            let items = match &schema.resolve().shape {
                Shape::List { items, .. } => items,
                _ => &ANY,
            };
            let merged = match &rule.merge_key {
                Some(key) => merge_list(before, change, key, items)?,
                None => merge_primitives(before, change),
            };
            let merged = match order {
                Some(order) => ordered(merged, order, rule.merge_key.as_deref())?,
                None => merged,
            };
            Ok(Some(Value::Array(merged)))
        }
        (_, change) => Ok(Some(change.clone())),
    }
}

/// Merges a list of objects told apart by `key`.
fn merge_list(before: Vec<Value>, changes: &[Value], key: &str, items: &Schema) -> Result<Vec<Value>, PatchError> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    let replaces = changes.iter().any(|item| directive(item).as_deref() == Some("replace"));
    let mut list: Vec<Option<Value>> = if replaces { Vec::new() } else { before.into_iter().map(Some).collect() };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, item) in list.iter().enumerate() {
        if let Some(id) = item.as_ref().and_then(|item| item.get(key)) {
            places.entry(plain(id)).or_insert(place);
        }
    }
    for change in changes {
        let Value::Object(members) = change else {
            return Err(malformed("a list of objects can only be patched with objects"));
        };
        let word = directive(change);
        if word.as_deref() == Some("replace") && members.len() == 1 {
            continue;
        }
        let id = plain(members.get(key).ok_or_else(|| {
            PatchError::Malformed(format!("map: {change} does not contain declared merge key: {key}"))
        })?);
        let slot = places.get(&id).and_then(|place| list.get_mut(*place));
        match (word.as_deref(), slot) {
            (Some("delete"), slot) => {
                if let Some(slot) = slot {
                    *slot = None;
                }
                places.remove(&id);
            }
            (_, Some(slot)) if !replaces => {
                let before = slot.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
                *slot = Some(Value::Object(merge_members(before, members, items)?));
            }
            _ => {
                places.insert(id, list.len());
                list.push(Some(Value::Object(merge_members(Members::new(), members, items)?)));
            }
        }
    }
    Ok(list.into_iter().flatten().collect())
}

/// Keys compare as texts, so that a port may be given as number or text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn merge_primitives(mut before: Vec<Value>, changes: &[Value]) -> Vec<Value> {
    let mut known: BTreeSet<String> = before.iter().map(Value::to_string).collect();
    before.extend(changes.iter().filter(|change| known.insert(change.to_string())).cloned());
    before
}

fn primitive_deletions(target: &mut Members, patch: &Members) -> Result<(), PatchError> {
    for (key, gone) in patch.iter().filter_map(|(key, gone)| Some((key.strip_prefix(DELETE_FROM)?, gone))) {
        let gone = gone.as_array().ok_or_else(|| malformed("$deleteFromPrimitiveList must be a list"))?;
        if let Some(Value::Array(list)) = target.get_mut(key) {
            let gone: BTreeSet<String> = gone.iter().map(Value::to_string).collect();
            list.retain(|item| !gone.contains(&item.to_string()));
        }
    }
    Ok(())
}

/// Puts the items that `order` names into its order; others keep their place relative to the one before them.
fn ordered(list: Vec<Value>, order: &Value, merge_key: Option<&str>) -> Result<Vec<Value>, PatchError> {
    let order = order.as_array().ok_or_else(|| malformed("$setElementOrder must be a list"))?;
    let name = |item: &Value| match merge_key {
        Some(key) => item.get(key).map(plain),
        None => Some(item.to_string()),
    };
    let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
    for (rank, wanted) in order.iter().enumerate() {
        if let Some(name) = name(wanted) {
            ranks.entry(name).or_insert(rank);
        }
    }
    let rank = |item: &Value| name(item).and_then(|name| ranks.get(&name).copied());
    let mut named: Vec<(usize, Value)> = Vec::new();
    let mut others: Vec<(usize, Value)> = Vec::new();
    for (place, item) in list.into_iter().enumerate() {
        match rank(&item) {
            Some(rank) => named.push((rank, item)),
            None => others.push((place, item)),
        }
    }
    named.sort_by_key(|(rank, _)| *rank);
    let mut result: Vec<Value> = named.into_iter().map(|(_, item)| item).collect();
    for (place, item) in others {
        result.insert(place.min(result.len()), item);
    }
    Ok(result)
}
