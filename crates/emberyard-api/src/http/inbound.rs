//! A hyper request as the state machine's value.

use super::body;
use super::limits::{BODY, BODY_BYTES, DRAINED_BYTES};
use super::service::Gate;
use bytes::{Bytes, BytesMut};
use emberyard_cluster::{Method, Request, User};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::time::Duration;
use tokio::time::timeout;

/// The error answer of a request that could not be read.
pub type Refused = Box<http::Response<body::Body>>;

/// Undoes percent-encoding; bytes that make no text become replacement characters.
pub fn percent_decode(text: &str) -> String {
    // One name without '=' or '+', read by the parser for forms.
    let text = text.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// The state machine's method of an HTTP one.
pub fn method(method: &http::Method) -> Option<Method> {
    Some(match *method {
        http::Method::GET | http::Method::HEAD => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        _ => return None,
    })
}

/// Everything but the body.
pub fn head(parts: &Parts, user: User, method: Method) -> Request {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    // Several Accept headers are one list (RFC 9110 section 5.3).
    let accept: Vec<&str> = parts.headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let query = parts.uri.query().unwrap_or_default();
    let mut request = Request::new(user, method, parts.uri.path());
    request.impersonate = super::credentials::impersonate(&parts.headers);
    request.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    request.content_type = text(CONTENT_TYPE);
    request.accept = (!accept.is_empty()).then(|| accept.join(","));
    request.user_agent = text(USER_AGENT);
    request
}

impl Gate {
    /// Reads a body within its limits of length, time and number.
    pub(super) async fn body(&self, parts: &Parts, mut incoming: Incoming) -> Result<Bytes, Refused> {
        let told = parts.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        let too_large = || {
            let message = format!("the request body is longer than {BODY_BYTES} bytes");
            Box::new(body::status(413, "RequestEntityTooLarge", &message))
        };
        if told.is_some_and(|length| length > BODY_BYTES) {
            tokio::spawn(drain(incoming));
            return Err(too_large());
        }
        if incoming.is_end_stream() {
            return Ok(Bytes::new());
        }
        // Under this length a body costs less than the connection it comes on.
        let long = told.is_none_or(|length| length > 32 << 10);
        let reading = async {
            let _room = if long { self.limits.body().await } else { None };
            let mut bytes = BytesMut::with_capacity(told.unwrap_or(0));
            while let Some(frame) = incoming.frame().await {
                let ended = |_| Box::new(body::status(400, "BadRequest", "the request body ended early"));
                let frame = frame.map_err(ended)?;
                let Some(data) = frame.data_ref() else { continue };
                if bytes.len() + data.len() > BODY_BYTES {
                    return Err(too_large());
                }
                bytes.extend_from_slice(data);
            }
            Ok(bytes.freeze())
        };
        let slow = |_| {
            let message = format!("the request body did not come within {} seconds", Duration::as_secs(&BODY));
            Box::new(body::status(408, "Timeout", &message))
        };
        let read = timeout(BODY, reading).await.map_err(slow)?;
        if read.is_err() {
            tokio::spawn(drain(incoming));
        }
        read
    }
}

/// Reads on and forgets, so that a sender who writes everything before it listens is still there for the answer.
async fn drain(mut incoming: Incoming) {
    let draining = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = incoming.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > DRAINED_BYTES {
                return;
            }
        }
    };
    // Whoever has more to say than that is cut off.
    let _ = timeout(BODY, draining).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_percent_signs_only() {
        assert_eq!(percent_decode("a%2fb+c=d&e"), "a/b+c=d&e");
        assert_eq!(percent_decode(""), "");
    }
}
