//! The conditions of a status: one of each type.

use crate::view::{list, text};
use serde_json::{Value, json};

/// The condition of a type.
pub fn find<'a>(status: &'a Value, type_: &str) -> Option<&'a Value> {
    list(status, &["conditions"]).iter().find(|condition| text(condition, &["type"]) == type_)
}

/// The condition of a type, if it is true.
pub fn held<'a>(status: &'a Value, type_: &str) -> Option<&'a Value> {
    find(status, type_).filter(|condition| text(condition, &["status"]) == "True")
}

/// Puts a condition in the place of the one of its type; it comes last.
pub fn put(status: &mut Value, condition: Value) {
    if !status.is_object() {
        *status = json!({});
    }
    match status["conditions"].as_array_mut() {
        Some(conditions) => {
            conditions.retain(|known| known["type"] != condition["type"]);
            conditions.push(condition);
        }
        None => status["conditions"] = json!([condition]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_each_type() {
        let mut status = Value::Null;
        for (type_, is) in [("A", "False"), ("B", "True"), ("A", "True")] {
            put(&mut status, json!({"type": type_, "status": is}));
        }
        assert_eq!(status["conditions"], json!([{"type": "B", "status": "True"}, {"type": "A", "status": "True"}]));
        assert!(held(&status, "A").is_some() && find(&status, "C").is_none());
        put(&mut status, json!({"type": "A", "status": "Unknown"}));
        assert!(find(&status, "A").is_some() && held(&status, "A").is_none());
    }
}
