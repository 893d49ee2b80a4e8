//! A schema as a tree of small nodes.

use super::{Checks, Definition};
use serde_json::Value;
use std::collections::BTreeMap;

/// Structure of one value.
#[derive(Debug, Clone)]
pub struct Schema {
    /// What the value is.
    pub shape: Shape,
    /// What an absent value becomes, as published.
    pub default: Option<Value>,
    /// Whether null is a value of its own (custom resources only).
    pub nullable: bool,
    /// Whether the type's zero value (`""`, 0, false, `[]`, `{}`) is the same as absent.
    pub omit_zero: bool,
    /// How a strategic merge patch treats it.
    pub patch: PatchRule,
    /// Constraints beyond the type.
    pub checks: Option<Box<Checks>>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Shape {
    /// As a shared definition says.
    Ref(Definition),
    /// A struct.
    Object(Object),
    /// A map with free keys; `atomic` = owned as a whole.
    Map {
        /// Structure of the values.
        values: Box<Schema>,
        /// Whether server-side apply sees it as one value.
        atomic: bool,
    },
    /// A list.
    List {
        /// Structure of the items.
        items: Box<Schema>,
        /// How items are told apart.
        list_type: ListType,
    },
    /// Text.
    String(StringFormat),
    /// A whole number of so many bits.
    Integer {
        /// 32 or 64.
        bits: u8,
    },
    /// A number.
    Number,
    /// A truth value.
    Boolean,
    /// A whole number or a text (ports).
    IntOrString,
    /// An amount (`100m`, `1Gi`).
    Quantity,
    /// Anything.
    Any,
}

/// What a text must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringFormat {
    /// Anything.
    Plain,
    /// RFC 3339 to the second.
    Time,
    /// RFC 3339 to the microsecond.
    MicroTime,
    /// Base64.
    Bytes,
}

/// A struct.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// Its fields.
    pub properties: BTreeMap<String, Schema>,
    /// Fields that must be there.
    pub required: Vec<String>,
    /// Whether unknown fields are kept.
    pub preserve_unknown: bool,
    /// Whether server-side apply sees it as one value.
    pub atomic: bool,
    /// Whether it is a whole object with `apiVersion`, `kind` and `metadata`.
    pub embedded: bool,
}

/// How items of a list are told apart by server-side apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// Not at all: the list is one value.
    Atomic,
    /// By themselves.
    Set,
    /// By the values of these fields.
    Map(Vec<String>),
}

/// How a strategic merge patch treats a field (published as `x-kubernetes-patch-*`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchRule {
    /// Merged rather than replaced (lists; maps always are).
    pub merge: bool,
    /// Fields the patch does not name go away.
    pub retain_keys: bool,
    /// Field by which items are told apart; `None` = by themselves.
    pub merge_key: Option<String>,
}

impl Schema {
    /// Anything goes.
    pub const ANY: Self = Self::of(Shape::Any);

    /// A schema of this shape with nothing else.
    pub const fn of(shape: Shape) -> Self {
        Self {
            shape,
            default: None,
            nullable: false,
            omit_zero: false,
            patch: PatchRule { merge: false, retain_keys: false, merge_key: None },
            checks: None,
        }
    }

    /// Itself, or what it refers to.
    pub fn resolve(&self) -> &Self {
        match &self.shape {
            Shape::Ref(definition) => definition.schema().resolve(),
            _ => self,
        }
    }

    /// The name of the definition it refers to (`io.k8s.api.core.v1.Pod`), "" if none.
    pub fn definition_name(&self) -> &'static str {
        match &self.shape {
            Shape::Ref(definition) => definition.name(),
            _ => "",
        }
    }

    /// The struct it is, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match &self.resolve().shape {
            Shape::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The schema of a member: of a struct's field or of a map's value.
    pub fn member(&self, key: &str) -> Option<&Self> {
        match &self.resolve().shape {
            Shape::Object(object) => object.properties.get(key),
            Shape::Map { values, .. } => Some(values),
            _ => None,
        }
    }
}
