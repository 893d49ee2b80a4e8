//! What sessions are told of HDFS.

use emberyard_manifest::hdfs::{NodePrefix, Plan, client_settings, session_locality};
use std::collections::BTreeMap;

/// The nameservice of the chart that older tutorials use.
const ALIAS: &str = "hdfs-k8s";

/// What there is of HDFS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// All that can be carried out.
    pub plans: Vec<Plan>,
    /// How addresses tell their node, where they do.
    pub prefix: Option<NodePrefix>,
}

impl Found {
    /// What sessions of a namespace must know, as Hadoop's settings by name. They use the only HDFS that they may reach without
    /// being told; of several none is meant by itself, but all are read alike.
    pub fn settings(&self, namespace: &str) -> BTreeMap<String, String> {
        let reached: Vec<&Plan> = self.plans.iter().filter(|plan| plan.lets_in(namespace)).collect();
        match reached.as_slice() {
            [only] => client_settings(only, Some(ALIAS)),
            [] => BTreeMap::new(),
            _ => self.prefix.map(session_locality).into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberyard_manifest::Identity;
    use emberyard_manifest::hdfs::{HdfsSettings, validate};
    use emberyard_model::HdfsSpec;

    fn plan(namespace: &str, name: &str, clients: &[&str]) -> Plan {
        let identity = Identity { namespace: namespace.to_owned(), name: name.to_owned(), uid: "1".to_owned() };
        let settings = HdfsSettings { image: "hdfs".to_owned(), cluster_domain: "cluster.local".to_owned() };
        let client_namespaces = clients.iter().map(|one| (*one).to_owned()).collect();
        validate(identity, HdfsSpec { client_namespaces, ..HdfsSpec::default() }, &settings).unwrap()
    }

    #[test]
    fn sessions_use_the_only_one_that_lets_them_in() {
        let found = Found { plans: vec![plan("a", "one", &["c", "d"]), plan("b", "two", &["d"])], prefix: None };
        let default = |namespace: &str| found.settings(namespace).get("fs.defaultFS").cloned();
        assert_eq!(default("a").as_deref(), Some("hdfs://one"));
        assert_eq!(default("b").as_deref(), Some("hdfs://two"));
        assert_eq!(default("c").as_deref(), Some("hdfs://one"));
        assert_eq!(default("d"), None, "of two none is meant");
        assert_eq!(default("e"), None, "nobody lets it in");
    }
}
