//! Fetching: proxies and certificates of the user hold, downloads resume, nothing unverified is kept.

mod download;
mod http;

pub use download::{Downloads, Wanted};
pub use http::{FetchError, Http};

/// A URL as it may be shown: without user and password.
pub fn without_credentials(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn hides_credentials() {
        assert_eq!(super::without_credentials("https://u:p@host/x"), "https://host/x");
        assert_eq!(super::without_credentials("http://host/x"), "http://host/x");
    }
}
