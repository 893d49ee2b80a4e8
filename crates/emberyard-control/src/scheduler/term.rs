//! Which other pods a pod looks at: affinity terms and spread constraints.

use super::cluster::Cluster;
use super::pod::PodInfo;
use emberyard_object::selector::LabelSelector;
use emberyard_object::view::{list, text};
use serde_json::Value;

/// Labels that must be the same (or differ) as the pod's own.
#[derive(Debug, Clone, PartialEq, Default)]
struct OwnLabels(Vec<(String, Value)>);

impl OwnLabels {
    fn read(keys: &[Value], labels: &Value) -> Self {
        let own = |key: &Value| {
            let key = key.as_str()?;
            Some((key.to_owned(), labels.get(key)?.clone()))
        };
        Self(keys.iter().filter_map(own).collect())
    }

    fn all_shared_by(&self, other: &PodInfo) -> bool {
        self.0.iter().all(|(key, value)| other.labels.get(key) == Some(value))
    }

    fn none_shared_by(&self, other: &PodInfo) -> bool {
        self.0.iter().all(|(key, value)| other.labels.get(key) != Some(value))
    }
}

/// A selector over labels; one that cannot be read selects nothing.
fn selector(of: &Value, name: &str) -> Option<LabelSelector> {
    of.get(name).and_then(|selector| LabelSelector::from_json(selector).ok().flatten())
}

/// A required term of pod affinity or anti-affinity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PodTerm {
    pub topology: String,
    selector: Option<LabelSelector>,
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    same: OwnLabels,
    other: OwnLabels,
}

impl PodTerm {
    pub(super) fn read(term: &Value, namespace: &str, labels: &Value) -> Self {
        let mut namespaces: Vec<String> =
            list(term, &["namespaces"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let namespace_selector = selector(term, "namespaceSelector");
        if namespaces.is_empty() && namespace_selector.is_none() {
            namespaces.push(namespace.to_owned());
        }
        Self {
            topology: text(term, &["topologyKey"]).to_owned(),
            selector: selector(term, "labelSelector"),
            namespaces,
            namespace_selector,
            same: OwnLabels::read(list(term, &["matchLabelKeys"]), labels),
            other: OwnLabels::read(list(term, &["mismatchLabelKeys"]), labels),
        }
    }

    pub(super) fn matches(&self, pod: &PodInfo, cluster: &Cluster) -> bool {
        let namespace = self.namespaces.contains(&pod.namespace)
            || self.namespace_selector.as_ref().is_some_and(|selector| {
                selector.is_empty()
                    || cluster.namespace(&pod.namespace).is_some_and(|namespace| selector.matches(namespace))
            });
        namespace
            && self.selector.as_ref().is_some_and(|selector| selector.matches_labels(&pod.labels))
            && self.same.all_shared_by(pod)
            && self.other.none_shared_by(pod)
    }
}

/// A topology spread constraint.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    pub topology: String,
    pub max_skew: i64,
    pub min_domains: i64,
    /// `DoNotSchedule`; else only a wish.
    pub strict: bool,
    /// Whether nodes that the pod's selectors leave out count as domains.
    pub honours_affinity: bool,
    pub honours_taints: bool,
    selector: Option<LabelSelector>,
    same: OwnLabels,
}

impl Spread {
    pub(super) fn read(constraint: &Value, labels: &Value) -> Self {
        let number = |name: &str| constraint.get(name).and_then(Value::as_i64).unwrap_or(1);
        Self {
            topology: text(constraint, &["topologyKey"]).to_owned(),
            max_skew: number("maxSkew"),
            min_domains: number("minDomains"),
            strict: text(constraint, &["whenUnsatisfiable"]) != "ScheduleAnyway",
            honours_affinity: text(constraint, &["nodeAffinityPolicy"]) != "Ignore",
            honours_taints: text(constraint, &["nodeTaintsPolicy"]) == "Honor",
            selector: selector(constraint, "labelSelector"),
            same: OwnLabels::read(list(constraint, &["matchLabelKeys"]), labels),
        }
    }

    /// Whether `pod`, of the same namespace, is one of those to spread.
    pub(super) fn counts(&self, pod: &PodInfo) -> bool {
        self.selector.as_ref().is_some_and(|selector| selector.matches_labels(&pod.labels))
            && self.same.all_shared_by(pod)
    }
}
