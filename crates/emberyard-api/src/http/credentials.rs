//! Who a request is from: a client certificate, a bearer token, or nobody.

use super::service::Gate;
use base64::Engine as _;
use emberyard_cluster::{Impersonate, User};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, SEC_WEBSOCKET_PROTOCOL};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Subprotocol that carries a token in browsers, which can't set headers on WebSockets.
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// The user a verified client certificate names: CN, and O for each group.
pub fn certificate_user(certificate: &CertificateDer<'_>) -> Option<User> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let name = parsed.subject().iter_common_name().next()?.as_str().ok()?;
    let groups: Vec<&str> = parsed.subject().iter_organization().filter_map(|o| o.as_str().ok()).collect();
    Some(User::new(name, &groups))
}

/// The token of a request, if it has one.
fn bearer(headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    let encoded = offered.flat_map(|v| v.split(',')).find_map(|p| p.trim().strip_prefix(TOKEN_PROTOCOL))?;
    let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded).ok()?;
    String::from_utf8(token).ok()
}

impl Gate {
    /// The user of a request; the error says why a token is refused.
    pub(super) fn user(&self, certificate: Option<&User>, headers: &HeaderMap) -> Result<User, String> {
        if let Some(user) = certificate {
            return Ok(user.clone());
        }
        let Some(token) = bearer(headers) else {
            let unreadable = headers.contains_key(AUTHORIZATION);
            return if unreadable {
                Err("the Authorization header holds no bearer token".to_owned())
            } else {
                Ok(User::anonymous())
            };
        };
        let claims = self.tokens.verify(&token, self.engine.now()).map_err(|e| e.to_string())?;
        self.engine.user(&claims).map_err(|e| e.to_string())
    }
}

/// Whom the request wants to be taken for.
pub fn impersonate(headers: &HeaderMap) -> Option<Impersonate> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let all = |name: &HeaderName| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect()
    };
    let mut found = Impersonate {
        user: text("impersonate-user").unwrap_or_default(),
        uid: text("impersonate-uid"),
        groups: all(&HeaderName::from_static("impersonate-group")),
        extra: Vec::new(),
    };
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix("impersonate-extra-") {
            let key = super::inbound::percent_decode(key);
            found.extra.extend(all(name).into_iter().map(|value| (key.clone(), value)));
        }
    }
    (found != Impersonate::default()).then_some(found)
}
