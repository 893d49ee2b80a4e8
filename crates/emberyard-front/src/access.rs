//! Who has shown a notebook's token: by the query or by the cookie that this gateway gave for it.

use crate::routes::{NotebookId, Route};
use http::HeaderMap;
use http::header::COOKIE;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// As long as Jupyter's own cookie.
const COOKIE_SECONDS: u32 = 30 * 24 * 3600;

/// What a request has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The token itself, in the query.
    Token,
    /// The cookie.
    Cookie,
    /// Nothing that counts.
    Nothing,
}

/// Looks at query and cookies.
pub fn shown(notebook: &NotebookId, route: &Route, query: Option<&str>, headers: &HeaderMap) -> Shown {
    let Some(token) = route.token.as_deref().filter(|token| !token.is_empty()) else { return Shown::Nothing };
    if query_token(query).is_some_and(|given| equal(given.as_bytes(), token.as_bytes())) {
        return Shown::Token;
    }
    let (name, wanted) = (cookie_name(notebook), cookie_value(notebook, token));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let given = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    for (key, value) in given {
        if key == name && equal(value.as_bytes(), wanted.as_bytes()) {
            return Shown::Cookie;
        }
    }
    Shown::Nothing
}

/// The `Set-Cookie` for a browser that has shown the token. It opens the Spark UI and the list, not Jupyter.
pub fn cookie(notebook: &NotebookId, token: &str) -> String {
    // On `/`, so that the list of notebooks can tell which ones this browser may see.
    format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}",
        cookie_name(notebook),
        cookie_value(notebook, token)
    )
}

/// A query without its token.
pub fn without_token(query: &str) -> String {
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("token=")).collect();
    kept.join("&")
}

fn query_token(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Names of namespaces and notebooks hold nothing that a cookie's name may not.
fn cookie_name(NotebookId { namespace, name }: &NotebookId) -> String {
    format!("emberyard_{namespace}_{name}")
}

/// Made from the token, but no way back to it: a leaked cookie can't run code.
fn cookie_value(NotebookId { namespace, name }: &NotebookId, token: &str) -> String {
    let digest = Sha256::digest(format!("emberyard gateway\n{namespace}/{name}\n{token}"));
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
        text
    })
}

/// Compares in a time that does not tell how much was right.
fn equal(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0 && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_cookies() {
        let id = NotebookId { namespace: "d".to_owned(), name: "n".to_owned() };
        let other = NotebookId { namespace: "d".to_owned(), name: "m".to_owned() };
        let route = Route { token: Some("secret".to_owned()), ..Route::default() };
        let with = |cookie: &str| HeaderMap::from_iter([(COOKIE, cookie.split(';').next().unwrap().parse().unwrap())]);
        let none = HeaderMap::new();
        assert_eq!(shown(&id, &route, Some("a=1&token=secret"), &none), Shown::Token);
        for query in [None, Some("token="), Some("token=secre"), Some("token=secrets"), Some("token=Secret")] {
            assert_eq!(shown(&id, &route, query, &none), Shown::Nothing, "{query:?}");
        }
        assert_eq!(shown(&id, &route, None, &with(&cookie(&id, "secret"))), Shown::Cookie);
        assert_eq!(shown(&id, &route, None, &with(&cookie(&id, "older"))), Shown::Nothing);
        assert_eq!(shown(&id, &route, None, &with(&cookie(&other, "secret"))), Shown::Nothing);
        assert_eq!(shown(&id, &Route::default(), Some("token="), &none), Shown::Nothing);
        assert_eq!(without_token("a=1&token=x&b=2"), "a=1&b=2");
    }
}
