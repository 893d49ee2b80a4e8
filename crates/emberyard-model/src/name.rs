//! Names that were checked once, where they came in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that may not be a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{name}\" is not a valid {what}: use lower case letters, digits{dots} and '-', begin and end with a letter or digit, at most {max} characters"
)]
pub struct NameError {
    name: String,
    what: &'static str,
    dots: &'static str,
    max: usize,
}

/// DNS-1123 label: what namespaces and services are called.
fn is_label(name: &str, max: usize) -> bool {
    let edge = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bytes = name.as_bytes();
    bytes.len() <= max
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
}

/// DNS-1123 subdomain: what most objects are called.
fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|part| is_label(part, 253))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $check:expr, $dots:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// Checks and wraps.
            ///
            /// # Errors
            /// [`NameError`] when the text breaks the rule (RFC 1123, as Kubernetes applies it).
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                let check: fn(&str) -> bool = $check;
                if check(&name) { Ok(Self(name)) } else { Err(NameError { name, what: $what, dots: $dots, max: $max }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(/** A namespace: DNS-1123 label. */ NamespaceName, "namespace name", |n| is_label(n, 63), "", 63);
name!(/** A node: DNS-1123 subdomain. */ NodeName, "node name", is_subdomain, ", '.'", 253);
name!(/** A pod: DNS-1123 subdomain. */ PodName, "pod name", is_subdomain, ", '.'", 253);
name!(/** Any other object: DNS-1123 subdomain. */ ObjectName, "name", is_subdomain, ", '.'", 253);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        assert!(NamespaceName::new("default").is_ok());
        assert!(NodeName::new("node-1.example").is_ok());
        for bad in ["", "-a", "a-", "A", "a_b", "a..b", &"a".repeat(64)] {
            assert!(NamespaceName::new(bad).is_err(), "{bad}");
        }
        insta::assert_snapshot!(NamespaceName::new("My_Space").unwrap_err(), @r#""My_Space" is not a valid namespace name: use lower case letters, digits and '-', begin and end with a letter or digit, at most 63 characters"#);
    }
}
