//! A `metav1.LabelSelector` in its query form.
//!
//! Rule source: `metav1.LabelSelectorAsSelector` and `labels.Requirement.String`.

use crate::view::{list, text};
use serde_json::Value;

/// `{matchLabels, matchExpressions}` as `a=b,c in (d,e),!f`, ordered by key; "" for one that selects everything.
pub fn query(selector: &Value) -> String {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    let mut parts: Vec<(String, String)> =
        pairs.map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or("")))).collect();
    for expression in list(selector, &["matchExpressions"]) {
        let key = text(expression, &["key"]);
        let mut values: Vec<&str> = list(expression, &["values"]).iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let part = match text(expression, &["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key.to_owned(), part));
    }
    parts.sort();
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::query;
    use serde_json::json;

    #[test]
    fn selectors_as_text() {
        let expression =
            |key: &str, operator: &str, values: &[&str]| json!({"key": key, "operator": operator, "values": values});
        let table = [
            (json!({}), ""),
            (json!(null), ""),
            (json!({"matchLabels": {"b": "2", "a": "1"}}), "a=1,b=2"),
            (
                json!({"matchLabels": {"b": "2"}, "matchExpressions": [
                expression("c", "In", &["y", "x"]), expression("a", "Exists", &[]), expression("d", "DoesNotExist", &[]),
                expression("e", "NotIn", &["z"])]}),
                "a,b=2,c in (x,y),!d,e notin (z)",
            ),
        ];
        for (selector, wanted) in table {
            assert_eq!(query(&selector), wanted, "{selector}");
        }
    }
}
