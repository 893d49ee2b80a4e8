//! Passing a request on to a pod, upgrades (WebSocket) included.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// What the gateway answers with.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// A pod on the same machine or cluster answers a connection at once or not at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Headers that belong to one connection (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
];

/// A plain text answer.
pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let body = Full::new(Bytes::from(text.into())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Sends the request to `target` with this path and query; `prefix` is what stood in front of them.
pub(crate) async fn on(
    mut request: Request<Incoming>,
    target: SocketAddr,
    path_and_query: &str,
    prefix: &str,
) -> Response<Body> {
    let gone = || {
        text(
            StatusCode::BAD_GATEWAY,
            "The notebook's pod does not answer. It may be starting: try again in a moment.\n",
        )
    };
    let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(target)).await else { return gone() };
    // Cells' output comes in small pieces that someone watches.
    let _ = stream.set_nodelay(true);
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await else {
        return gone();
    };
    tokio::spawn(connection.with_upgrades());
    let upgrade = upgrade_of(request.headers());
    let waiting = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let Ok(uri) = path_and_query.parse() else {
        return text(StatusCode::BAD_REQUEST, "That path can't be passed on.\n");
    };
    let mut onward = Request::new(body);
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = uri;
    *onward.headers_mut() = forwarded(parts.headers, upgrade.as_ref(), prefix);
    let Ok(response) = sender.send_request(onward).await else { return gone() };
    answer(response, waiting)
}

/// Hands the answer back; where both sides agreed on an upgrade, joins them.
fn answer(mut response: Response<Incoming>, waiting: Option<hyper::upgrade::OnUpgrade>) -> Response<Body> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(waiting) = waiting else { return text(StatusCode::BAD_GATEWAY, "An upgrade nobody asked for.\n") };
        let theirs = hyper::upgrade::on(&mut response);
        tokio::spawn(async move {
            if let (Ok(ours), Ok(theirs)) = tokio::join!(waiting, theirs) {
                // Either side may end; then both do.
                let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(ours), &mut TokioIo::new(theirs)).await;
            }
        });
        let (parts, _) = response.into_parts();
        let mut switching = text(StatusCode::SWITCHING_PROTOCOLS, "");
        *switching.headers_mut() = parts.headers;
        return switching;
    }
    let (mut parts, body) = response.into_parts();
    for name in HOP_BY_HOP {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, body.boxed())
}

/// The protocol an upgrade asks for.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = headers
        .get(header::CONNECTION)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("upgrade"));
    headers.get(header::UPGRADE).filter(|_| asks).cloned()
}

fn forwarded(mut headers: HeaderMap, upgrade: Option<&HeaderValue>, prefix: &str) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::UPGRADE, protocol.clone());
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    headers.insert(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("http"));
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert(HeaderName::from_static("x-forwarded-host"), host);
    }
    if let Ok(prefix) = HeaderValue::from_str(prefix) {
        headers.insert(HeaderName::from_static("x-forwarded-prefix"), prefix);
    }
    headers
}
