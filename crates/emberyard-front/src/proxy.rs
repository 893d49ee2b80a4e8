//! Hands one request to a notebook's pod and its answer back, WebSockets included.

use crate::routes::NotebookId;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// The body of any answer.
pub type Answer = BoxBody<Bytes, hyper::Error>;

/// A pod that does not accept within this is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Headers that speak of one connection, not of the request (RFC 9110, 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Headers that only this gateway may set.
const OURS: [&str; 7] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-real-ip",
];

/// A body that is there already.
pub fn full(text: impl Into<Bytes>) -> Answer {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// Where a request goes and what is said about it.
pub struct Onward<'a> {
    /// Whose pod.
    pub notebook: &'a NotebookId,
    /// Its address.
    pub to: SocketAddr,
    /// Path and query for it.
    pub path_and_query: String,
    /// The browser's address.
    pub from: IpAddr,
}

/// Passes a request on. None when the pod does not answer.
pub async fn pass_on(request: Request<Incoming>, onward: Onward<'_>) -> Option<Response<Answer>> {
    let Onward { notebook, to, path_and_query, from } = onward;
    let stream = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(to)).await.ok()?.ok()?;
    drop(stream.set_nodelay(true));
    // Without it, a pod that vanished with its node is only missed when its browser says something.
    let _ = keep_asking(&stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection.with_upgrades());

    let (mut parts, body) = request.into_parts();
    let browser_side = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
    let upgrade = parts.headers.get(UPGRADE).cloned();
    let host = parts.headers.get(HOST).cloned();
    clean(&mut parts.headers);
    parts.uri = path_and_query.parse().ok()?;
    parts.version = http::Version::HTTP_11;
    set(&mut parts.headers, "x-forwarded-for", &from.to_string());
    set(&mut parts.headers, "x-forwarded-proto", "http");
    if let Some(host) = host {
        parts.headers.insert("x-forwarded-host", host);
    }
    if let Some(kind) = upgrade {
        parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(UPGRADE, kind);
    }
    let mut response = match sender.send_request(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(notebook = notebook.name, %error, "no answer");
            return None;
        }
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        join(hyper::upgrade::on(&mut response), browser_side?);
        return Some(response.map(|_| full(Bytes::new())));
    }
    let headers = response.headers_mut();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    Some(response.map(BodyExt::boxed))
}

/// Lets the kernel ask a silent peer whether it is there: one that does not answer for about ten seconds is gone.
fn keep_asking(stream: &TcpStream) -> rustix::io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(2))?;
    sockopt::set_tcp_keepcnt(stream, 3)
}

/// Drops what belongs to the browser's connection, and what a browser has no business to say.
fn clean(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP.into_iter().chain(OURS) {
        headers.remove(name);
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Joins both sides once both have switched.
fn join(pod_side: hyper::upgrade::OnUpgrade, browser_side: hyper::upgrade::OnUpgrade) {
    tokio::spawn(async move {
        let (Ok(pod), Ok(browser)) = tokio::join!(pod_side, browser_side) else { return };
        // How it ends is between the two of them.
        drop(tokio::io::copy_bidirectional(&mut TokioIo::new(pod), &mut TokioIo::new(browser)).await);
    });
}
