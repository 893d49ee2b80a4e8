//! Field selectors.
//!
//! Rule source: `k8s.io/apimachinery/pkg/fields` (`ParseSelector`; `\,`, `\=` and `\\` are escapes).

use super::SelectorError;
use crate::Kind;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

/// A field selector: all terms must hold. Empty = everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

impl FieldSelector {
    /// Reads `a.b=c,d.e!=f`.
    pub fn parse(query: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in split(query).into_iter().filter(|part| !part.is_empty()) {
            let bad = || SelectorError(format!("invalid selector: '{query}'; can't understand '{part}'"));
            let at = part.find(['=', '!']).ok_or_else(bad)?;
            let (field, rest) = part.split_at(at);
            let (equal, value) = match rest.strip_prefix("!=") {
                Some(value) => (false, value),
                None => (true, rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')).ok_or_else(bad)?),
            };
            terms.push(Term { field: field.to_owned(), value: unescape(value).ok_or_else(bad)?, equal });
        }
        Ok(Self { terms })
    }

    /// The first field that `kind` can't be selected by.
    pub fn unsupported(&self, kind: &Kind) -> Option<&str> {
        let known = |field: &str| {
            field == "metadata.name"
                || (field == "metadata.namespace" && kind.namespaced)
                || kind.selectable_fields.iter().any(|known| known == field)
        };
        self.terms.iter().map(|term| term.field.as_str()).find(|field| !known(field))
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the object satisfies it; an absent field counts as the zero of its type.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|term| holds(object, &term.field, &term.value) == term.equal)
    }

    /// The value an `=` term asks of `field`, so that a name or namespace can be looked up directly.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| term.equal && term.field == field).map(|term| term.value.as_str())
    }
}

fn holds(object: &Value, field: &str, wanted: &str) -> bool {
    let value = field.split('.').try_fold(object, |value, key| value.get(key));
    match value {
        // The old name of where an event came from.
        Some(Value::Object(source)) if field == "source" => {
            source.get("component").and_then(Value::as_str).unwrap_or("") == wanted
        }
        Some(Value::String(text)) => text == wanted,
        Some(Value::Bool(flag)) => flag.to_string() == wanted,
        Some(Value::Number(number)) => number.to_string() == wanted,
        // `spec.unschedulable=false` selects nodes that say nothing of it.
        _ => matches!(wanted, "" | "false"),
    }
}

/// The parts between commas that are not escaped.
fn split(query: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut escaped, mut start) = (false, 0);
    for (index, character) in query.char_indices() {
        match character {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            ',' if !escaped => {
                parts.push(&query[start..index]);
                start = index + 1;
            }
            _ => {}
        }
        escaped = false;
    }
    parts.push(&query[start..]);
    parts
}

fn unescape(value: &str) -> Option<String> {
    let mut result = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => result.push(characters.next().filter(|next| matches!(next, '\\' | ',' | '='))?),
            ',' | '=' => return None,
            _ => result.push(character),
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;
    use serde_json::json;

    #[test]
    fn queries() {
        let pod = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"hostNetwork": true}, "status": {"phase": "Running"}});
        let table = [
            ("", true),
            ("metadata.name=a", true),
            ("metadata.name==a", true),
            ("metadata.name!=a", false),
            ("metadata.name=a,status.phase=Running", true),
            ("status.phase!=Succeeded,status.phase!=Failed", true),
            ("spec.nodeName=", true),
            ("spec.nodeName!=", false),
            ("spec.nodeName=x", false),
            ("spec.hostNetwork=true", true),
            ("spec.unschedulable=false", true),
        ];
        for (query, wanted) in table {
            assert_eq!(FieldSelector::parse(query).unwrap().matches(&pod), wanted, "{query}");
        }
        assert!(FieldSelector::parse("source=kubelet").unwrap().matches(&json!({"source": {"component": "kubelet"}})));
        let escaped = FieldSelector::parse(r"a=b\,c\=\\,d=e").unwrap();
        assert_eq!((escaped.exact("a"), escaped.exact("d"), escaped.exact("x")), (Some(r"b,c=\"), Some("e"), None));
        for bad in ["a", "a!b", r"a=b\", r"a=\b", "a=b=c", "a!"] {
            assert!(FieldSelector::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_known_fields() {
        let catalog = Catalog::builtin();
        let pods = catalog.find("", "v1", "pods").unwrap();
        let nodes = catalog.find("", "v1", "nodes").unwrap();
        let selector = |query: &str| FieldSelector::parse(query).unwrap();
        assert_eq!(selector("spec.nodeName=a,metadata.namespace=b").unsupported(pods), None);
        assert_eq!(selector("spec.foo=a").unsupported(pods), Some("spec.foo"));
        assert_eq!(selector("metadata.namespace=b").unsupported(nodes), Some("metadata.namespace"));
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "[a-c!=,\\\\.]{0,30}") {
            let _ = FieldSelector::parse(&query);
        }
    }
}
