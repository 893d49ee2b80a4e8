//! The HTTP door, for where the kernel redirects nothing: `CONNECT HOST:PORT`, and plain http requests in absolute form
//! (apt and pip over http). Names are resolved on the machine's side, under the same policy as redirected connections.

use super::dns;
use super::policy::RelayPolicy;
use super::tcp::{copy, dial};
use super::wanted::{Host, Refusal, Wanted, allowed, wanted};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;

/// Largest head of a request; a larger one is answered with 431.
const HEAD: usize = 32 << 10;
/// A head must be there after this, also that of a next request on the same connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Headers that speak of one connection only.
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const ONE_CONNECTION: [&str; 2] = ["keep-alive", "proxy-connection"];

type Body = BoxBody<Bytes, hyper::Error>;
/// What a CONNECT has opened: the client's side, once it is handed over, and the other.
type Tunnel = Arc<Mutex<Option<(OnUpgrade, TcpStream)>>>;

/// Serves one client's connection to its end.
pub(super) async fn carry(inside: TcpStream, policy: RelayPolicy) {
    serve(inside, policy, PATIENCE).await;
}

async fn serve(inside: TcpStream, policy: RelayPolicy, patience: Duration) {
    let _ = inside.set_nodelay(true);
    let tunnel = Tunnel::default();
    let service = hyper::service::service_fn(|request| {
        let (policy, tunnel) = (policy.clone(), tunnel.clone());
        async move { Ok::<_, Infallible>(answer(request, &policy, &tunnel).await.unwrap_or_else(refused)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(inside), service)
        .with_upgrades();
    // An error here is the client's: gone, too slow, or no HTTP; hyper has answered what can be answered.
    let _ = connection.await;
    let opened = tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((inside, outside)) = opened
        && let Ok(inside) = inside.await
    {
        copy(&mut TokioIo::new(inside), outside).await;
    }
}

async fn answer(request: Request<Incoming>, policy: &RelayPolicy, tunnel: &Tunnel) -> Result<Response<Body>, Refusal> {
    let target = wanted(request.method(), request.uri())?;
    let outside = connect(&target, policy).await.inspect_err(|refusal| {
        tracing::debug!(?target, ?refusal, "relay refuses");
    })?;
    if request.method() == Method::CONNECT {
        let opened = (hyper::upgrade::on(request), outside);
        *tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        return Ok(Response::new(Empty::new().map_err(|never| match never {}).boxed()));
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(outside)).await.map_err(|_| Refusal::Unreachable)?;
    tokio::spawn(connection);
    let mut response = sender.send_request(forwarded(request)?).await.map_err(|_| Refusal::Unreachable)?;
    strip(response.headers_mut());
    Ok(response.map(BodyExt::boxed))
}

async fn connect(target: &Wanted, policy: &RelayPolicy) -> Result<TcpStream, Refusal> {
    let addresses = match &target.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => dns::resolve(name).await.unwrap_or_default(),
    };
    for address in allowed(policy, &addresses, target.port)? {
        if let Ok(stream) = dial(address).await {
            return Ok(stream);
        }
    }
    Err(Refusal::Unreachable)
}

/// The request as the server itself expects it: path only, the host in its header, nothing that was for the proxy.
fn forwarded<B>(request: Request<B>) -> Result<Request<B>, Refusal> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or(Refusal::Form)?;
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host).map_err(|_| Refusal::Form)?;
    strip(&mut parts.headers);
    parts.headers.insert(header::HOST, host);
    parts.uri = Uri::from(parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.version = http::Version::HTTP_11;
    Ok(Request::from_parts(parts, body))
}

/// Removes what speaks of one connection, also what `Connection` names.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    for name in ONE_CONNECTION {
        headers.remove(name);
    }
}

fn refused(refusal: Refusal) -> Response<Body> {
    let (status, text) = refusal.answer();
    let mut response =
        Response::new(Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    // Nothing more is heard from who was refused.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn a_forwarded_request_is_the_servers_own() {
        let request = Request::get("http://user:word@deb.example:8080/a?b")
            .header("host", "other")
            .header("connection", "x-own, close")
            .header("x-own", "1")
            .header("proxy-authorization", "secret")
            .header("proxy-connection", "keep-alive")
            .header("range", "bytes=1-")
            .body(())
            .unwrap();
        let request = forwarded(request).unwrap();
        assert_eq!(request.uri(), "/a?b");
        let headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers, [("host", "deb.example:8080"), ("range", "bytes=1-")]);
    }

    /// What the door says to these bytes, and how it ends.
    async fn say(patience: Duration, bytes: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (inside, _) = listener.accept().await.unwrap();
        let policy = RelayPolicy::new(BTreeSet::new());
        let ((), text) = tokio::join!(serve(inside, policy, patience), async {
            // A door that has heard enough closes while the rest is still being written.
            let _ = client.write_all(bytes).await;
            let mut text = Vec::new();
            let _ = client.read_to_end(&mut text).await;
            String::from_utf8_lossy(&text).into_owned()
        });
        text
    }

    #[tokio::test]
    async fn bad_clients_get_an_answer_and_an_end() {
        let short = Duration::from_millis(200);
        let huge = format!("GET http://a/ HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(4 * HEAD));
        let table = [
            ("no HTTP at all\r\n\r\n", "HTTP/1.1 400"),
            ("\u{0}\u{1}\u{2}\r\n\r\n", "HTTP/1.1 400"),
            ("GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n", "HTTP/1.1 400"),
            ("GET ftp://a/ HTTP/1.1\r\nconnection: close\r\n\r\n", "HTTP/1.1 501"),
            ("CONNECT 127.0.0.1:22 HTTP/1.1\r\nconnection: close\r\n\r\n", "HTTP/1.1 403"),
            ("GET http://localhost:22/ HTTP/1.1\r\nconnection: close\r\n\r\n", "HTTP/1.1 403"),
            (&huge, "HTTP/1.1 431"),
        ];
        for (bytes, expected) in table {
            let text = say(PATIENCE, bytes.as_bytes()).await;
            assert!(text.starts_with(expected), "{}: {text}", &bytes[..20.min(bytes.len())]);
        }
        // Half a head, then nothing: the door closes by itself.
        let text = say(short, b"GET http://a/ HTTP/1.1\r\nx: ").await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
        // A client that asked once and stays silent is not kept either.
        let text = say(short, b"GET /metrics HTTP/1.1\r\n\r\n").await;
        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    }
}
