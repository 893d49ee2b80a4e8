//! The HTTPS server on port 10250. Only the API server, or a member of `system:masters`, may ask.

use super::registry::Registry;
use super::route::{Route, Target, query, route};
use super::{exec, logs, port_forward, stats};
use crate::agent::Node;
use crate::error::AgentError;
use crate::net::address::KUBELET_PORT;
use crate::tasks::Tasks;
use crate::tls;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

pub(super) type Body = BoxBody<Bytes, std::io::Error>;

const API_SERVER: &str = "kube-apiserver-kubelet-client";
const MASTERS: &str = "system:masters";
/// Connections at one time.
const MOST: usize = 512;
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Binds and serves in the background.
pub(crate) async fn serve(node: Arc<Node>, registry: Registry, tasks: &Tasks) -> Result<(), AgentError> {
    let acceptor = TlsAcceptor::from(Arc::new(tls::serving(&node.config.serving)?));
    let address = (node.config.number.node_ip(), KUBELET_PORT);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| AgentError::Listen { address: format!("{}:{}", address.0, address.1), source })?;
    let room = Arc::new(Semaphore::new(MOST));
    tasks.spawn(async move {
        loop {
            let Ok(place) = room.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (acceptor, node, registry) = (acceptor.clone(), node.clone(), registry.clone());
            tokio::spawn(async move {
                converse(stream, acceptor, node, registry).await;
                drop(place);
            });
        }
    });
    Ok(())
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, node: Arc<Node>, registry: Registry) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates();
    let allowed = certificates.and_then(|c| c.first()).is_some_and(|c| may_ask(c.as_ref()));
    let service = hyper::service::service_fn(move |request| {
        let (node, registry) = (node.clone(), registry.clone());
        async move {
            let response =
                if allowed { answer(request, &node, &registry) } else { text(StatusCode::FORBIDDEN, "forbidden") };
            Ok::<_, Infallible>(response)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // An error here is the client's going away.
    let _ = connection.await;
}

/// Whether a client certificate (already checked against the authority) is the API server's or a master's.
fn may_ask(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let subject = certificate.subject();
    let name = subject.iter_common_name().next().and_then(|n| n.as_str().ok());
    let mut groups = subject.iter_organization().filter_map(|o| o.as_str().ok());
    name == Some(API_SERVER) || groups.any(|g| g == MASTERS)
}

fn answer(request: Request<Incoming>, node: &Arc<Node>, registry: &Registry) -> Response<Body> {
    let query = query(request.uri());
    match route(request.uri().path()) {
        Route::Health => text(StatusCode::OK, "ok"),
        Route::Pods => {
            let items: Vec<Value> = registry.all().iter().map(|p| Value::clone(&p.object)).collect();
            object(&json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}))
        }
        Route::Stats => object(&stats::summary(node, registry)),
        Route::Logs(target) => match find(registry, &target) {
            Some(pod) => logs::answer(pod, &target.container, &query, node.now()),
            None => missing(&target.pod),
        },
        Route::Exec(target) => match find(registry, &target) {
            Some(pod) => exec::answer(request, pod, &target.container, &query, exec::What::Command),
            None => missing(&target.pod),
        },
        Route::Attach(target) => match find(registry, &target) {
            Some(pod) => exec::answer(request, pod, &target.container, &query, exec::What::Attach),
            None => missing(&target.pod),
        },
        Route::PortForward { namespace, pod } => match registry.find(&namespace, &pod) {
            Some(found) => port_forward::answer(request, found, registry, &query),
            None => missing(&pod),
        },
        Route::NotOffered => text(StatusCode::NOT_IMPLEMENTED, "not offered by this node"),
        Route::Unknown => text(StatusCode::NOT_FOUND, "not found"),
    }
}

fn find(registry: &Registry, target: &Target) -> Option<super::PodView> {
    registry.find(&target.namespace, &target.pod)
}

fn missing(pod: &str) -> Response<Body> {
    text(StatusCode::NOT_FOUND, &format!("pod \"{pod}\" not found on this node"))
}

/// A short text.
pub(super) fn text(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed();
    with(status, "text/plain", body)
}

fn object(value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {}).boxed();
    with(StatusCode::OK, "application/json", body)
}

/// An answer.
pub(super) fn with(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
