//! Who asks.

use std::collections::BTreeMap;

/// An authenticated user: of a client certificate (CN, O), a service-account token, or a component in this process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// For example `system:node:node-1`.
    pub name: String,
    /// Empty where the credential carries none.
    pub uid: String,
    /// Without `system:authenticated`, which the server adds itself.
    pub groups: Vec<String>,
    /// Further attributes, for example `authentication.kubernetes.io/pod-name`.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user with a name and groups only.
    pub fn new(name: impl Into<String>, groups: &[&str]) -> Self {
        Self { name: name.into(), groups: groups.iter().map(|g| (*g).to_owned()).collect(), ..Self::default() }
    }

    /// The user of a service account: `system:serviceaccount:NAMESPACE:NAME` with its groups.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::new(
            format!("system:serviceaccount:{namespace}:{name}"),
            &["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}")],
        )
    }

    /// Someone without credentials; sees health and version only.
    pub fn anonymous() -> Self {
        Self::new("system:anonymous", &["system:unauthenticated"])
    }

    /// All groups, `system:authenticated` included.
    pub(crate) fn all_groups(&self) -> impl Iterator<Item = &str> {
        let anonymous = self.groups.iter().any(|g| g == "system:unauthenticated");
        self.groups.iter().map(String::as_str).chain((!anonymous).then_some("system:authenticated"))
    }

    /// Whether the user is of this group.
    pub(crate) fn in_group(&self, group: &str) -> bool {
        self.all_groups().any(|g| g == group)
    }
}
