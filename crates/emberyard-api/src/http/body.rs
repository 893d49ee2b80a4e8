//! Bodies of answers, and the `Status` object that says what went wrong.

use bytes::Bytes;
use emberyard_cluster::Answer;
use futures::Stream;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::json;

/// An error that ends a body early.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// A body of any kind.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body made of frames as they come.
pub fn stream<E: Into<BodyError> + 'static>(frames: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Body {
    use futures::TryStreamExt as _;
    StreamBody::new(frames.map_ok(Frame::data).map_err(Into::into)).boxed_unsync()
}

/// A response with a content type.
pub fn response(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// The state machine's answer as a response.
pub fn answer(answer: Answer) -> Response<Body> {
    let mut response = response(answer.status, &answer.content_type, full(answer.body));
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A `Status` as every Kubernetes client reads it.
pub fn status(code: u16, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    response(code, "application/json", full(status.to_string()))
}
