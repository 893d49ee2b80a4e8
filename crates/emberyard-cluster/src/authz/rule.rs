//! One rule of a role.

use super::Attributes;
use serde_json::{Value, json};

/// One `PolicyRule`: everything it lists, in all combinations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) urls: Vec<String>,
}

impl Rule {
    pub(crate) fn read(value: &Value) -> Self {
        let texts = |key: &str| {
            let items = value.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            verbs: texts("verbs"),
            groups: texts("apiGroups"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            urls: texts("nonResourceURLs"),
        }
    }

    /// The `rules` of a role.
    pub(crate) fn read_all(role: &Value) -> Vec<Self> {
        role.get("rules").and_then(Value::as_array).into_iter().flatten().map(Self::read).collect()
    }

    /// What system:masters may.
    pub(crate) fn everything() -> Vec<Self> {
        let star = || vec!["*".to_owned()];
        vec![
            Self { verbs: star(), groups: star(), resources: star(), ..Self::default() },
            Self { verbs: star(), urls: star(), ..Self::default() },
        ]
    }

    pub(crate) fn allows(&self, wanted: &Attributes<'_>) -> bool {
        if !has(&self.verbs, wanted.verb) {
            return false;
        }
        if let Some(path) = wanted.path {
            return self.urls.iter().any(|url| {
                url == "*" || url == path || url.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
            });
        }
        has(&self.groups, wanted.group)
            && self.resources.iter().any(|resource| names_resource(resource, wanted.resource, wanted.subresource))
            && (self.names.is_empty() || (!wanted.name.is_empty() && self.names.iter().any(|n| n == wanted.name)))
    }

    /// As a rule of a `SubjectRulesReview`.
    pub(crate) fn review(&self) -> Value {
        if self.urls.is_empty() {
            let mut rule = json!({"verbs": self.verbs, "apiGroups": self.groups, "resources": self.resources});
            if !self.names.is_empty() {
                rule["resourceNames"] = json!(self.names);
            }
            rule
        } else {
            json!({"verbs": self.verbs, "nonResourceURLs": self.urls})
        }
    }
}

/// Whether a list of a rule names something, or everything.
pub(super) fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == "*" || item == wanted)
}

/// Whether a rule's `pods`, `pods/log`, `*/log` or `*` names the resource.
fn names_resource(rule: &str, resource: &str, subresource: &str) -> bool {
    if rule == "*" {
        return true;
    }
    match rule.split_once('/') {
        None => subresource.is_empty() && rule == resource,
        Some((of, sub)) => !subresource.is_empty() && (of == "*" || of == resource) && sub == subresource,
    }
}
