//! Nobody hands out rights they do not have.

use super::Rule;
use super::rule::has;

/// Whether everything `asked` allows is allowed by `own` already (rule of `rbac/validation.Covers`: each combination by
/// one rule; a star only by a star).
pub(crate) fn covers(own: &[Rule], asked: &[Rule]) -> bool {
    asked.iter().all(|rule| rule.verbs.iter().all(|verb| covers_verb(own, rule, verb)))
}

fn covers_verb(own: &[Rule], rule: &Rule, verb: &str) -> bool {
    let of_verb: Vec<&Rule> = own.iter().filter(|own| has(&own.verbs, verb)).collect();
    let urls = rule.urls.iter().all(|url| of_verb.iter().any(|own| covers_url(own, url)));
    urls && rule.groups.iter().all(|group| {
        rule.resources.iter().all(|resource| {
            let of_resource = |own: &&&Rule| has(&own.groups, group) && covers_resource(&own.resources, resource);
            let mut candidates = of_verb.iter().filter(of_resource).peekable();
            if rule.names.is_empty() {
                candidates.any(|own| own.names.is_empty())
            } else {
                let candidates: Vec<_> = candidates.collect();
                rule.names.iter().all(|n| candidates.iter().any(|own| own.names.is_empty() || own.names.contains(n)))
            }
        })
    })
}

fn covers_resource(own: &[String], wanted: &str) -> bool {
    has(own, wanted)
        || wanted.split_once('/').is_some_and(|(_, sub)| own.iter().any(|o| o.strip_prefix("*/") == Some(sub)))
}

fn covers_url(own: &Rule, wanted: &str) -> bool {
    own.urls.iter().any(|url| url == wanted || url.strip_suffix('*').is_some_and(|prefix| wanted.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_one_has() {
        let rule = |verbs: &[&str], resources: &[&str], names: &[&str]| {
            Rule::read(&json!({"verbs": verbs, "apiGroups": [""], "resources": resources, "resourceNames": names}))
        };
        let own = [rule(&["get", "list"], &["pods", "*/log"], &[]), rule(&["create"], &["secrets"], &["a"])];
        let table = [
            (rule(&["get"], &["pods"], &[]), true),
            (rule(&["get"], &["pods"], &["x"]), true),
            (rule(&["get"], &["pods/log"], &[]), true),
            (rule(&["get", "delete"], &["pods"], &[]), false),
            (rule(&["*"], &["pods"], &[]), false),
            (rule(&["get"], &["*"], &[]), false),
            (rule(&["create"], &["secrets"], &["a"]), true),
            (rule(&["create"], &["secrets"], &["b"]), false),
            (rule(&["create"], &["secrets"], &[]), false),
        ];
        for (asked, wanted) in table {
            assert_eq!(covers(&own, std::slice::from_ref(&asked)), wanted, "{asked:?}");
        }
        assert!(covers(&Rule::everything(), &own));
    }
}
