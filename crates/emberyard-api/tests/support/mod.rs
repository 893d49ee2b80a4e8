//! A served API in a folder of its own, and clients that speak TLS to it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod kubectl;
pub mod kubelet;

use bytes::Bytes;
use emberyard_api::pki::{self, Credentials, Names, Pki};
use emberyard_api::{ServeConfig, ServeError, serve};
use emberyard_model::Timestamp;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

pub fn now() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(passed.as_micros()).unwrap())
}

fn random(out: &mut [u8]) {
    use ring::rand::SecureRandom as _;
    ring::rand::SystemRandom::new().fill(out).unwrap();
}

/// What `serve` needs for a yard in `dir`.
pub fn config(dir: &Path, listener: TcpListener, shutdown: CancellationToken) -> ServeConfig {
    ServeConfig {
        pki: dir.join("pki"),
        journal: dir.join("journal"),
        journal_limit: std::sync::Arc::new(|| None),
        names: Names::default(),
        cluster: emberyard_cluster::Config::default(),
        listeners: vec![listener],
        controllers: Vec::new(),
        clock: Arc::new(now),
        entropy: Box::new(random),
        shutdown,
    }
}

/// A running API server.
pub struct Served {
    pub address: SocketAddr,
    pub pki: Pki,
    pub dir: PathBuf,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<Result<(), ServeError>>,
    folder: Option<TempDir>,
}

impl Served {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with a changed configuration.
    pub async fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut served = Self::at(folder.path(), change).await;
        served.folder = Some(folder);
        served
    }

    pub async fn at(dir: &Path, change: impl FnOnce(&mut ServeConfig)) -> Self {
        // Shown with a failed test. Another test of the same program may have begun it.
        let _ = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let pki = pki::ensure(&dir.join("pki"), &Names::default(), now()).unwrap();
        let mut config = config(dir, listener, shutdown.clone());
        change(&mut config);
        let task = tokio::spawn(serve(config));
        let served = Self { address, pki, dir: dir.to_owned(), shutdown, task, folder: None };
        served.ready().await;
        served
    }

    async fn ready(&self) {
        // The listener queues connections from its birth; the first answer comes when the state is restored.
        let (status, body) = self.admin().await.get("/readyz").await;
        assert_eq!(status, 200, "{body}");
    }

    pub fn client(&self, credentials: Option<&Credentials>, alpn: &[&str]) -> TlsConnector {
        connector(self.pki.authority.certificate(), credentials, alpn)
    }

    /// An HTTP/1.1 connection of the administrator.
    pub async fn admin(&self) -> Client {
        Client::new(self.address, self.client(Some(&self.pki.admin), &[])).await
    }

    /// An HTTP/1.1 connection of someone with this client certificate, or of nobody.
    pub async fn someone(&self, credentials: Option<&Credentials>) -> Client {
        Client::new(self.address, self.client(credentials, &[])).await
    }

    pub async fn stop(self) -> Result<(), ServeError> {
        self.shutdown.cancel();
        self.task.await.unwrap()
    }
}

pub fn connector(authority: &str, credentials: Option<&Credentials>, alpn: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match credentials {
        Some(pair) => {
            let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

pub async fn dial(address: SocketAddr, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

/// An HTTP/1.1 connection.
pub struct Client {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    pub token: Option<String>,
}

impl Client {
    pub async fn new(address: SocketAddr, connector: TlsConnector) -> Self {
        let stream = dial(address, &connector).await;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        Self { sender, token: None }
    }

    pub async fn send(&mut self, request: http::Request<Full<Bytes>>) -> hyper::Result<http::Response<Incoming>> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> http::Request<Full<Bytes>> {
        let mut builder = http::Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(token) = &self.token {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        if body.is_some() {
            builder = builder.header("content-type", content_type);
        }
        builder.body(Full::from(body.map(Value::to_string).unwrap_or_default())).unwrap()
    }

    /// Sends and reads the whole answer; `None` when the connection broke.
    pub async fn try_json(&mut self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let request = self.request(method, path, body);
        let response = self.send(request).await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Some((status, value))
    }

    pub async fn json(&mut self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.try_json(method, path, body).await.expect("an answer")
    }

    pub async fn get(&mut self, path: &str) -> (u16, Value) {
        self.json("GET", path, None).await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.json("POST", path, Some(body)).await
    }
}

/// An HTTP/2 connection.
pub async fn http2(
    served: &Served,
    credentials: Option<&Credentials>,
) -> (hyper::client::conn::http2::SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let stream = dial(served.address, &served.client(credentials, &["h2"])).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    (sender, tokio::spawn(connection))
}

/// Reads newline-delimited events.
pub struct Events {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Events {
    pub fn new(body: Incoming) -> Self {
        Self { body, buffer: Vec::new() }
    }

    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = self.body.frame().await?.ok()?;
            if let Some(data) = frame.data_ref() {
                self.buffer.extend_from_slice(data);
            }
        }
    }
}

pub fn config_map(name: &str, value: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
}

pub fn pod(name: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "test"}},
        "spec": {"containers": [{"name": "main", "image": "none"}]}})
}

pub const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub const PODS: &str = "/api/v1/namespaces/default/pods";
