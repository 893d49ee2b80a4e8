//! Who has shown a token: by the query or by the cookie that this gateway gave for it.

use crate::routes::NotebookId;
use http::HeaderMap;
use http::header::COOKIE;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// As long as Jupyter's own cookie.
const COOKIE_SECONDS: u32 = 30 * 24 * 3600;

/// What a token opens.
#[derive(Debug, Clone, Copy)]
pub enum Door<'a> {
    /// A notebook's Spark UI, and the notebook in the list.
    Notebook(&'a NotebookId),
    /// The page of the whole yard.
    Overview,
}

impl Door<'_> {
    /// Names of namespaces and notebooks hold nothing that a cookie's name may not; no name holds two underscores.
    fn cookie_name(self) -> String {
        match self {
            Self::Notebook(NotebookId { namespace, name }) => format!("emberyard_{namespace}_{name}"),
            Self::Overview => "emberyard__overview".to_owned(),
        }
    }

    /// Made from the token, but no way back to it: a leaked cookie can't run code.
    fn cookie_value(self, token: &str) -> String {
        let door = match self {
            Self::Notebook(NotebookId { namespace, name }) => format!("{namespace}/{name}"),
            Self::Overview => "overview".to_owned(),
        };
        let digest = Sha256::digest(format!("emberyard gateway\n{door}\n{token}"));
        digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
            text
        })
    }
}

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

/// Looks at query and cookies for this door's token; a door without one stays closed.
pub fn shown(door: Door<'_>, token: Option<&str>, query: Option<&str>, headers: &HeaderMap) -> Shown {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Shown::Nothing };
    if query_token(query).is_some_and(|given| equal(given.as_bytes(), token.as_bytes())) {
        return Shown::Token;
    }
    let (name, wanted) = (door.cookie_name(), door.cookie_value(token));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let given = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    for (key, value) in given {
        if key == name && equal(value.as_bytes(), wanted.as_bytes()) {
            return Shown::Cookie;
        }
    }
    Shown::Nothing
}

/// The `Set-Cookie` for a browser that has shown the token. A notebook's opens its Spark UI and the list, not Jupyter.
pub fn cookie(door: Door<'_>, token: &str) -> String {
    // On `/`, so that the list of notebooks can tell which ones this browser may see.
    format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS}",
        door.cookie_name(),
        door.cookie_value(token)
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
        let secret = Some("secret");
        let (id, other) = (Door::Notebook(&id), Door::Notebook(&other));
        let with = |cookie: &str| HeaderMap::from_iter([(COOKIE, cookie.split(';').next().unwrap().parse().unwrap())]);
        let none = HeaderMap::new();
        assert_eq!(shown(id, secret, Some("a=1&token=secret"), &none), Shown::Token);
        for query in [None, Some("token="), Some("token=secre"), Some("token=secrets"), Some("token=Secret")] {
            assert_eq!(shown(id, secret, query, &none), Shown::Nothing, "{query:?}");
        }
        for door in [id, Door::Overview] {
            assert_eq!(shown(door, secret, None, &with(&cookie(door, "secret"))), Shown::Cookie);
            assert_eq!(shown(door, secret, None, &with(&cookie(door, "older"))), Shown::Nothing);
            assert_eq!(shown(door, secret, None, &with(&cookie(other, "secret"))), Shown::Nothing);
            assert_eq!(shown(door, None, Some("token="), &none), Shown::Nothing);
        }
        assert_eq!(without_token("a=1&token=x&b=2"), "a=1&b=2");
    }
}
