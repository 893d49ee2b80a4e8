//! Which fields an object has, and which of them differ between two objects.

use super::elements::Granular;
use super::fields::FieldSet;
use crate::schema::{ListType, Schema, Shape};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a value is to field ownership.
pub enum Node<'a> {
    /// A struct or map whose members are owned one by one.
    Members(&'a Map<String, Value>),
    /// A list whose items are owned one by one.
    Items(&'a [Value], Granular<'a>),
    /// Owned as a whole.
    Whole,
}

/// Looks at a value through its schema. What the schema doesn't know is treated by its looks: objects are granular,
/// lists are not.
pub fn node<'a>(value: &'a Value, schema: &'a Schema) -> Node<'a> {
    let resolved = schema.resolve();
    match (&resolved.shape, value) {
        (Shape::Object(object), Value::Object(map)) if !object.atomic => Node::Members(map),
        (Shape::Map { atomic: false, .. } | Shape::Any, Value::Object(map)) => Node::Members(map),
        (Shape::List { items, list_type }, Value::Array(list)) if *list_type != ListType::Atomic => {
            Node::Items(list, Granular { list_type, items })
        }
        _ => Node::Whole,
    }
}

static ANY: Schema = Schema::ANY;

/// The schema of a member, or one that allows anything.
pub fn member<'a>(schema: &'a Schema, key: &str) -> &'a Schema {
    schema.member(key).unwrap_or(&ANY)
}

/// The fields a configuration sets.
pub fn fields_of(value: &Value, schema: &Schema) -> Result<FieldSet, String> {
    let mut set = FieldSet::default();
    match node(value, schema) {
        Node::Members(map) => {
            let free_keys = !matches!(schema.resolve().shape, Shape::Object(_));
            for (key, inner) in map {
                let mut below = fields_of(inner, member(schema, key))?;
                below.owned |= free_keys || is_hollow(inner);
                set.insert(format!("f:{key}"), below);
            }
        }
        Node::Items(list, granular) => {
            for (element, item) in granular.elements(list)?.into_iter().zip(list) {
                let mut below = fields_of(item, granular.items)?;
                below.owned = true;
                set.insert(element, below);
            }
        }
        Node::Whole => set.owned = true,
    }
    Ok(set)
}

fn is_hollow(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// What differs between two objects.
#[derive(Default)]
pub struct Change {
    /// In both, with other values.
    pub modified: FieldSet,
    /// Only in the new one.
    pub added: FieldSet,
    /// Only in the old one.
    pub removed: FieldSet,
}

impl Change {
    fn insert(&mut self, element: &str, below: Self) {
        self.modified.insert(element.to_owned(), below.modified);
        self.added.insert(element.to_owned(), below.added);
        self.removed.insert(element.to_owned(), below.removed);
    }
}

/// What differs between `old` and `new`.
pub fn between(old: &Value, new: &Value, schema: &Schema) -> Change {
    let mut change = Change::default();
    match (node(old, schema), node(new, schema)) {
        (Node::Members(before), Node::Members(after)) => {
            let gone = before.keys().filter(|key| !after.contains_key(*key));
            for key in after.keys().chain(gone) {
                let inner = member(schema, key);
                change.insert(&format!("f:{key}"), either(before.get(key), after.get(key), inner));
            }
        }
        (Node::Items(before, granular), Node::Items(after, _)) => {
            match (granular.elements(before), granular.elements(after)) {
                (Ok(old_elements), Ok(new_elements)) => {
                    let mut pairs: BTreeMap<String, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
                    for (element, item) in old_elements.into_iter().zip(before) {
                        pairs.entry(element).or_default().0 = Some(item);
                    }
                    for (element, item) in new_elements.into_iter().zip(after) {
                        pairs.entry(element).or_default().1 = Some(item);
                    }
                    for (element, (was, is)) in pairs {
                        change.insert(&element, either(was, is, granular.items));
                    }
                }
                _ => change.modified.owned = before != after,
            }
        }
        _ => change.modified.owned = old != new,
    }
    change
}

fn either(old: Option<&Value>, new: Option<&Value>, schema: &Schema) -> Change {
    match (old, new) {
        (Some(old), Some(new)) => between(old, new, schema),
        (None, Some(new)) => Change { added: whole(new, schema), ..Change::default() },
        (Some(old), None) => Change { removed: whole(old, schema), ..Change::default() },
        (None, None) => Change::default(),
    }
}

/// All fields of a value and the one that holds it.
fn whole(value: &Value, schema: &Schema) -> FieldSet {
    let mut set = fields_of(value, schema).unwrap_or_default();
    set.owned = true;
    set
}
