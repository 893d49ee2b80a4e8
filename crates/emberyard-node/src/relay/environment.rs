//! What makes programs in pods use the HTTP door.

use crate::net::address::{CLUSTER_DOMAIN, INSIDE, PROXY_PORT, YARD};
use std::collections::BTreeMap;

/// The variables, in both cases that programs read. What belongs to the cluster is named by range and by ending:
/// some programs know only the one, some only the other.
pub fn environment() -> BTreeMap<String, String> {
    let door = format!("http://{YARD}:{PROXY_PORT}");
    let mut own = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), ".svc".to_owned(), format!(".{CLUSTER_DOMAIN}")];
    own.extend(INSIDE.iter().map(ToString::to_string));
    let variables = [("HTTP_PROXY", door.clone()), ("HTTPS_PROXY", door), ("NO_PROXY", own.join(","))];
    variables
        .into_iter()
        .flat_map(|(name, value)| [(name.to_lowercase(), value.clone()), (name.to_owned(), value)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_and_all_of_the_cluster() {
        let environment = environment();
        assert_eq!(environment.len(), 6);
        for (name, value) in &environment {
            assert_eq!(environment.get(&name.to_uppercase()), Some(value));
        }
        assert_eq!(environment["https_proxy"], "http://10.41.0.1:15002");
        assert_eq!(
            environment["NO_PROXY"],
            "localhost,127.0.0.1,.svc,.cluster.local,10.41.0.0/16,10.42.0.0/16,10.96.0.0/16,127.0.0.0/8"
        );
    }
}
