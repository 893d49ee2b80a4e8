//! Who may enter: host names and tokens.

use crate::routes::{Key, Notebook};
use http::{HeaderMap, Uri, header};

/// Host names that reach a gateway on loopback. Any other name in the Host header means that a page elsewhere made
/// the user's browser ask (DNS rebinding).
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Whether the Host header names this gateway.
pub(crate) fn host_is_ours(headers: &HeaderMap, uri: &Uri) -> bool {
    let given = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| uri.authority().map(http::uri::Authority::as_str));
    given.is_some_and(|host| {
        let name = host
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|c| c.is_ascii_digit()))
            .map_or(host, |(name, _)| name);
        LOOPBACK.contains(&name)
    })
}

/// How a request showed the notebook's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// In the address: a cookie should follow, so that further pages need it no more.
    ByLink,
    /// By the cookie.
    ByCookie,
    /// Not at all.
    None,
}

/// Name of the cookie of one notebook.
pub(crate) fn cookie_name(key: &Key) -> String {
    format!("emberyard-{}-{}", key.0, key.1)
}

/// Looks for the notebook's token in the address and in the cookie.
pub(crate) fn entry(key: &Key, notebook: &Notebook, headers: &HeaderMap, uri: &Uri) -> Entry {
    let Some(token) = notebook.token.as_deref().filter(|token| !token.is_empty()) else { return Entry::None };
    let in_query = uri
        .query()
        .unwrap_or("")
        .split('&')
        .any(|pair| pair.strip_prefix("token=").is_some_and(|given| same(given, token)));
    if in_query {
        return Entry::ByLink;
    }
    let name = cookie_name(key);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let found = cookies
        .flat_map(|line| line.split(';'))
        .any(|pair| pair.trim().split_once('=').is_some_and(|(given, value)| given == name && same(value, token)));
    if found { Entry::ByCookie } else { Entry::None }
}

/// Compares without telling by its duration where the first difference is.
fn same(given: &str, wanted: &str) -> bool {
    given.len() == wanted.len() && given.bytes().zip(wanted.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn only_loopback_names_are_ours() {
        for (host, ours) in [
            ("127.0.0.1:8800", true),
            ("localhost", true),
            ("[::1]:1", true),
            ("evil.example:8800", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(host_is_ours(&headers(header::HOST, host), &Uri::from_static("/")), ours, "{host}");
        }
    }

    #[test]
    fn token_by_link_or_cookie() {
        let key = ("n".to_owned(), "a".to_owned());
        let book = Notebook { address: None, token: Some("secret".to_owned()) };
        assert_eq!(entry(&key, &book, &HeaderMap::new(), &Uri::from_static("/x?token=secret")), Entry::ByLink);
        assert_eq!(entry(&key, &book, &HeaderMap::new(), &Uri::from_static("/x?token=secreT")), Entry::None);
        assert_eq!(
            entry(&key, &book, &headers(header::COOKIE, "a=b; emberyard-n-a=secret"), &Uri::from_static("/x")),
            Entry::ByCookie
        );
        assert_eq!(
            entry(&key, &book, &headers(header::COOKIE, "emberyard-n-b=secret"), &Uri::from_static("/x")),
            Entry::None
        );
        let without = Notebook::default();
        assert_eq!(entry(&key, &without, &HeaderMap::new(), &Uri::from_static("/x?token=")), Entry::None);
    }
}
