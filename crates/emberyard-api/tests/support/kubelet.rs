//! A kubelet as the API server meets one, and a pod on its node.

use super::{Client, PODS, Served, now, pod};
use bytes::Bytes;
use emberyard_api::pki;
use futures::{SinkExt, StreamExt};
use http::Response;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::json;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A kubelet that demands the API server's certificate, and what it was asked.
pub async fn kubelet(served: &Served) -> (u16, Arc<Mutex<Vec<String>>>) {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let pair = pki::issue_serving(&served.pki.authority, "n1", &[ip], now()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(served.pki.authority.certificate().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(request, &log))));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let _ = connection.with_upgrades().await;
            });
        }
    });
    (port, asked)
}

fn answer(mut request: http::Request<Incoming>, log: &Mutex<Vec<String>>) -> Response<Body> {
    log.lock().unwrap().push(request.uri().to_string());
    assert!(!request.headers().contains_key("authorization"));
    let path = request.uri().path().to_owned();
    if path.starts_with("/containerLogs/") && path.ends_with("/gone") {
        let text = Full::from("container \"gone\" is waiting to start");
        return Response::builder().status(400).body(text.boxed_unsync()).unwrap();
    }
    if path.starts_with("/containerLogs/") {
        let lines = futures::stream::iter(["one\n", "two\n"]).map(|line| Ok(Frame::data(Bytes::from(line))));
        return Response::new(StreamBody::new(lines).boxed_unsync());
    }
    if request.headers()["upgrade"] == "SPDY/3.1" {
        return raw_echo(request);
    }
    let key = request.headers()["sec-websocket-key"].clone();
    let protocol = request.headers()["sec-websocket-protocol"].clone();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrade.await.unwrap());
        let socket = tokio_tungstenite::WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let (mut sink, mut source) = socket.split();
        if !query.contains("input=") {
            // A command that says something and ends with 7.
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "reason": "NonZeroExitCode", "message": "command terminated with non-zero exit code",
                "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}});
            for (channel, text) in [(1, "said\n".to_owned()), (3, status.to_string())] {
                let frame = [vec![channel], text.into_bytes()].concat();
                sink.send(Message::Binary(frame.into())).await.unwrap();
            }
            let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let _ = sink.send(Message::Close(Some(close))).await;
        }
        while let Some(Ok(message)) = source.next().await {
            if message.is_binary() {
                sink.send(message).await.unwrap();
            }
        }
    });
    let switched = Response::builder()
        .status(101)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", derive_accept_key(key.as_bytes()))
        .header("sec-websocket-protocol", protocol);
    switched.body(Full::default().boxed_unsync()).unwrap()
}

/// A protocol that is no WebSocket, nor read by anyone between: all bytes come back.
fn raw_echo(mut request: http::Request<Incoming>) -> Response<Body> {
    let protocol = request.headers()["x-stream-protocol-version"].clone();
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    let switched = Response::builder().status(101).header("connection", "Upgrade").header("upgrade", "SPDY/3.1");
    switched.header("x-stream-protocol-version", protocol).body(Full::default().boxed_unsync()).unwrap()
}

/// A pod that runs on the node `n1`, whose kubelet is at this port.
pub async fn place(admin: &mut Client, name: &str, port: u16, ip: &str) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}});
    let (status, body) = admin.post("/api/v1/nodes", &node).await;
    assert_eq!(status, 201, "{body}");
    let patch = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": "n1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }});
    let (status, body) = admin.json("PATCH", "/api/v1/nodes/n1/status", Some(&patch)).await;
    assert_eq!(status, 200, "{body}");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    let (status, body) = admin.post("/api/v1/namespaces/default/serviceaccounts", &account).await;
    assert!(status == 201 || status == 409, "{body}");
    let mut made = pod(name);
    made["spec"]["nodeName"] = json!("n1");
    let (status, body) = admin.post(PODS, &made).await;
    assert_eq!(status, 201, "{body}");
    let patch = json!({"status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}});
    let (status, body) = admin.json("PATCH", &format!("{PODS}/{name}/status"), Some(&patch)).await;
    assert_eq!(status, 200, "{body}");
}
