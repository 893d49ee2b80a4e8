//! The little of JSONPath that printer columns use: `.a.b`, `['a.b']`, `[0]`, `[*]`, `[?(@.a=="b")]`.

use serde_json::Value;

/// The first value the path leads to; `None` if there is none or the path uses more than the above.
pub fn find(object: &Value, path: &str) -> Option<Value> {
    walk(object, path).cloned()
}

fn walk<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    if let Some(rest) = path.strip_prefix('.') {
        let end = key_end(rest);
        let key = rest[..end].replace("\\.", ".");
        return if key.is_empty() { walk(value, &rest[end..]) } else { walk(value.get(&key)?, &rest[end..]) };
    }
    let inner = path.strip_prefix('[')?;
    let close = inner.find(']')?;
    let (step, rest) = (&inner[..close], &inner[close + 1..]);
    if let Some(key) = step.strip_prefix('\'').and_then(|step| step.strip_suffix('\'')) {
        return walk(value.get(key)?, rest);
    }
    let items = value.as_array()?;
    if step == "*" {
        return items.iter().find_map(|item| walk(item, rest));
    }
    if let Some(condition) = step.strip_prefix("?(@").and_then(|step| step.strip_suffix(')')) {
        let (field, wanted) = condition.split_once("==")?;
        let wanted = wanted.trim().trim_matches(['"', '\'']);
        let fits = |item: &&Value| walk(item, field.trim()).and_then(Value::as_str) == Some(wanted);
        return items.iter().filter(fits).find_map(|item| walk(item, rest));
    }
    walk(items.get(step.parse::<usize>().ok()?)?, rest)
}

/// Where a key ends: at a dot that is not escaped, or at a bracket.
fn key_end(path: &str) -> usize {
    let mut escaped = false;
    for (index, character) in path.char_indices() {
        match character {
            '\\' => escaped = true,
            '.' | '[' if !escaped => return index,
            _ => escaped = false,
        }
    }
    path.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths() {
        let object = json!({"metadata": {"annotations": {"a.b/c": "x"}}, "list": [{"n": 1}, {"n": 2}],
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]}});
        let table = [
            (".status.conditions[?(@.type==\"Other\")].status", Some(json!("False"))),
            (".status.conditions[?(@.type=='Ready')].status", Some(json!("True"))),
            (".list[1].n", Some(json!(2))),
            (".list[*].n", Some(json!(1))),
            (".metadata.annotations['a.b/c']", Some(json!("x"))),
            (".metadata.annotations.a\\.b/c", Some(json!("x"))),
            (".none.x", None),
            (".list[9]", None),
            ("list", None),
            (".list[", None),
        ];
        for (path, wanted) in table {
            assert_eq!(find(&object, path), wanted, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_path_is_followed_or_not(path in "[.\\[\\]a*?(@='\\\\0-9)]{0,20}") {
            let _ = find(&json!({"a": [{"a": "a"}]}), &path);
        }
    }
}
