//! Narrow borrowed views over objects, so that nobody digs through JSON by hand twice.

mod meta;
mod node;
mod pod;

pub use meta::{Meta, OwnerRef};
pub use node::NodeView;
pub use pod::PodView;

use serde_json::Value;

/// The value at a path of object keys.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The text at a path; absent or of another type is "".
pub fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or("")
}

/// The items of the list at a path; absent or of another type is empty.
pub fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
