//! Label selectors.
//!
//! Rule source: `k8s.io/apimachinery/pkg/labels` (grammar in `Parse`) and `metav1.LabelSelectorAsSelector`.

use super::SelectorError;
use crate::view::{list, text};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

/// A label selector: all requirements must hold. Empty = everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Reads the query form: `a=b,c!=d,e in (f,g),h,!i,j>1`.
    pub fn parse(query: &str) -> Result<Self, SelectorError> {
        let requirements = split(query).into_iter().map(requirement).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { requirements })
    }

    /// Reads `{matchLabels, matchExpressions}`; null (or absent) selects nothing (`None`), `{}` everything.
    pub fn from_json(selector: &Value) -> Result<Option<Self>, SelectorError> {
        if selector.is_null() {
            return Ok(None);
        }
        let mut requirements = Self::from_map(&selector["matchLabels"]).requirements;
        for expression in list(selector, &["matchExpressions"]) {
            let values = || -> Vec<String> {
                list(expression, &["values"]).iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
            };
            let test = match text(expression, &["operator"]) {
                "In" => Test::In(values()),
                "NotIn" => Test::NotIn(values()),
                "Exists" => Test::Exists,
                "DoesNotExist" => Test::Absent,
                other => return Err(SelectorError(format!("\"{other}\" is not a valid label selector operator"))),
            };
            if matches!(&test, Test::In(values) | Test::NotIn(values) if values.is_empty()) {
                return Err(SelectorError(
                    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty".to_owned(),
                ));
            }
            requirements.push(Requirement { key: text(expression, &["key"]).to_owned(), test });
        }
        Ok(Some(Self { requirements }))
    }

    /// Reads a plain map as Services have it; every pair must be there.
    pub fn from_map(map: &Value) -> Self {
        let pairs = map.as_object().into_iter().flatten();
        let requirements = pairs
            .map(|(key, value)| Requirement {
                key: key.clone(),
                test: Test::In(vec![value.as_str().unwrap_or("").to_owned()]),
            })
            .collect();
        Self { requirements }
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether the object's `metadata.labels` satisfy it.
    pub fn matches(&self, object: &Value) -> bool {
        self.matches_labels(&object["metadata"]["labels"])
    }

    /// Whether a bare label map (an object, or null) satisfies it.
    pub fn matches_labels(&self, labels: &Value) -> bool {
        self.requirements.iter().all(|requirement| {
            let label = labels.get(&requirement.key).and_then(Value::as_str);
            let number = || label.and_then(|label| label.parse::<i64>().ok());
            match &requirement.test {
                Test::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
                Test::NotIn(values) => !label.is_some_and(|label| values.iter().any(|value| value == label)),
                Test::Exists => label.is_some(),
                Test::Absent => label.is_none(),
                Test::Above(bound) => number().is_some_and(|number| number > *bound),
                Test::Below(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}

/// The parts between commas that stand outside parentheses; an empty query has none.
fn split(query: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (index, character) in query.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&query[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&query[start..]);
    if query.trim().is_empty() { Vec::new() } else { parts }
}

fn requirement(part: &str) -> Result<Requirement, SelectorError> {
    let part = part.trim();
    let bad = || {
        SelectorError(format!(
            "unable to parse requirement: found '{part}', expected: identifier, '!', 'in', 'notin', '=', '==', '!=', 'gt', 'lt'"
        ))
    };
    let made = |key: &str, test: Test| {
        let key = key.trim();
        if is_key(key) { Ok(Requirement { key: key.to_owned(), test }) } else { Err(bad()) }
    };
    if let Some(key) = part.strip_prefix('!') {
        return made(key, Test::Absent);
    }
    if let Some(open) = part.find('(') {
        let values = part[open + 1..].strip_suffix(')').ok_or_else(bad)?;
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = part[..open].split_whitespace();
        let (key, operator) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        if words.next().is_some() || !values.iter().all(|value| is_value(value)) {
            return Err(bad());
        }
        return match operator {
            "in" => made(key, Test::In(values)),
            "notin" => made(key, Test::NotIn(values)),
            _ => Err(bad()),
        };
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let value = value.trim();
            if !is_value(value) {
                return Err(bad());
            }
            let values = vec![value.to_owned()];
            return made(key, if negated { Test::NotIn(values) } else { Test::In(values) });
        }
    }
    for (operator, test) in [('>', Test::Above as fn(i64) -> Test), ('<', Test::Below)] {
        if let Some((key, value)) = part.split_once(operator) {
            return made(key, test(value.trim().parse().map_err(|_| bad())?));
        }
    }
    made(part, Test::Exists)
}

/// A label key: an optional DNS prefix and a name.
fn is_key(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_prefix) && !name.is_empty() && is_value(name)
}

fn is_prefix(prefix: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    prefix.len() <= 253 && prefix.split('.').all(part)
}

/// A label value: up to 63 letters, digits, `-`, `_`, `.`, with letters or digits at both ends; or empty.
fn is_value(value: &str) -> bool {
    let edge = |c: Option<&u8>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let bytes = value.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn queries() {
        let labels = json!({"app": "web", "tier": "front", "n": "5", "k8s.io/x": ""});
        let table = [
            ("", true),
            ("app=web", true),
            ("app==web", true),
            ("app = web", true),
            ("app=db", false),
            ("app!=db", true),
            ("none!=db", true),
            ("app in (db, web)", true),
            ("app in (db)", false),
            ("app notin (db)", true),
            ("none notin (db)", true),
            ("app", true),
            ("none", false),
            ("!none", true),
            ("!app", false),
            ("app=web,tier=front", true),
            ("app=web,tier=back", false),
            ("app in (web,db),tier", true),
            ("n>4", true),
            ("n<4", false),
            ("app>1", false),
            ("k8s.io/x=", true),
            ("k8s.io/x", true),
            ("spark-role=executor,spark-app-selector in (spark-1)", false),
        ];
        for (query, wanted) in table {
            let selector = LabelSelector::parse(query).unwrap();
            assert_eq!(selector.matches_labels(&labels), wanted, "{query}");
        }
        assert!(LabelSelector::parse("!x").unwrap().matches(&json!({})));
        for bad in ["a=b=c", "=b", "a in b", "a in (b", "a,,b", ",", "a b", "a=(b)", "!", "-a", "a>x", "a=b!", "in (a)"]
        {
            assert!(LabelSelector::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn json_forms() {
        let labels = json!({"a": "b"});
        let selects =
            |selector: Value| LabelSelector::from_json(&selector).unwrap().is_some_and(|s| s.matches_labels(&labels));
        assert!(selects(json!({})));
        assert!(!selects(json!(null)));
        assert!(selects(
            json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]})
        ));
        assert!(!selects(json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]})));
        assert!(LabelSelector::from_json(&json!({"matchExpressions": [{"key": "a", "operator": "Is"}]})).is_err());
        assert!(LabelSelector::from_json(&json!({"matchExpressions": [{"key": "a", "operator": "In"}]})).is_err());
        assert!(LabelSelector::from_map(&json!({"a": "b"})).matches_labels(&labels));
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "[a-c!=, ()<>in.1-]{0,30}") {
            let _ = LabelSelector::parse(&query);
        }
    }
}
