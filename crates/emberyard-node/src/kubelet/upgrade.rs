//! Answers that turn a connection into something else.

use super::server::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A header's text, empty if there is none.
pub(super) fn text_of(headers: &HeaderMap, name: impl header::AsHeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// All that a header's values offer, which are lists with commas.
pub(super) fn offered(headers: &HeaderMap, name: impl header::AsHeaderName) -> Vec<&str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|one| !one.is_empty()).collect()
}

/// 101 for a WebSocket of this sub-protocol, if one was chosen; `None` without a usable key.
pub(super) fn to_websocket(headers: &HeaderMap, protocol: Option<&'static str>) -> Option<Response<Body>> {
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()?;
    let mut response = switching("websocket", header::SEC_WEBSOCKET_PROTOCOL, protocol);
    response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Some(response)
}

/// 101 for another protocol, and what is spoken inside it.
pub(super) fn switching(to: &'static str, name: HeaderName, inside: Option<&'static str>) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static(to));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(inside) = inside {
        headers.insert(name, HeaderValue::from_static(inside));
    }
    response
}
