//! One try of a probe.

use emberyard_pod::spec::{Container, Handler, HttpGet, PortRef, TcpSocket};
use emberyard_sandbox::{ExecSpec, PodSandbox};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// As much of an answer is read and told.
const MOST_TOLD: usize = 1024;

/// Tries once; `Err` says why it failed.
pub(super) async fn run(
    handler: &Handler,
    container: &Container,
    sandbox: &PodSandbox,
    pod_ip: Ipv4Addr,
    timeout: Duration,
) -> Result<(), String> {
    if let Some(exec) = &handler.exec {
        return run_program(exec.command.clone(), container.name.clone(), sandbox.clone(), timeout).await;
    }
    let tried = async {
        match (&handler.http_get, &handler.tcp_socket) {
            (Some(get), _) => fetch(get, container, pod_ip).await,
            (None, Some(tcp)) => connect(tcp, container, pod_ip).await.map(drop),
            (None, None) => Ok(()),
        }
    };
    let late = || format!("no answer within {} s", timeout.as_secs());
    tokio::time::timeout(timeout, tried).await.unwrap_or_else(|_| Err(late()))
}

async fn run_program(
    argv: Vec<String>,
    container: String,
    sandbox: PodSandbox,
    timeout: Duration,
) -> Result<(), String> {
    let work = move || {
        let spec = ExecSpec { container, argv, env: Vec::new(), tty: None, stdin: false };
        let mut handle = sandbox.exec(&spec).map_err(|e| e.to_string())?;
        // Both outputs are drained on threads, so that a talkative program cannot block on a full pipe.
        let drain = |fd: std::os::fd::OwnedFd| std::thread::spawn(move || read_some(std::fs::File::from(fd)));
        let output = handle.stdout.try_clone().ok().map(drain);
        let errors = handle.stderr.as_ref().and_then(|fd| fd.try_clone().ok()).map(drain);
        let code = handle.wait(Some(timeout)).map_err(|e| e.to_string())?;
        let Some(code) = code else { return Err(format!("command timed out after {} s", timeout.as_secs())) };
        if code == 0 {
            return Ok(());
        }
        drop(handle);
        let said = [output, errors].into_iter().flatten().filter_map(|t| t.join().ok()).collect::<String>();
        Err(if said.is_empty() { format!("exit code {code}") } else { said.trim_end().to_owned() })
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
}

fn read_some(mut file: std::fs::File) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length) = file.read(&mut buffer) {
        if length == 0 {
            break;
        }
        let room = MOST_TOLD.saturating_sub(kept.len()).min(length);
        kept.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

async fn connect(tcp: &TcpSocket, container: &Container, pod_ip: Ipv4Addr) -> Result<TcpStream, String> {
    let port = number(&tcp.port, container)?;
    let host = if tcp.host.is_empty() { pod_ip.to_string() } else { tcp.host.clone() };
    TcpStream::connect((host.as_str(), port)).await.map_err(|e| format!("dial tcp {host}:{port}: {e}"))
}

fn number(port: &PortRef, container: &Container) -> Result<u16, String> {
    port.number(container).ok_or_else(|| "the port is not one of the container's".to_owned())
}

async fn fetch(get: &HttpGet, container: &Container, pod_ip: Ipv4Addr) -> Result<(), String> {
    let socket = TcpSocket { port: get.port.clone(), host: get.host.clone() };
    let stream = connect(&socket, container, pod_ip).await?;
    if get.scheme.eq_ignore_ascii_case("https") {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(crate::tls::unchecked()));
        let name = rustls_pki_types::ServerName::IpAddress(std::net::IpAddr::V4(pod_ip).into());
        let stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
        ask(get, pod_ip, stream).await
    } else {
        ask(get, pod_ip, stream).await
    }
}

async fn ask<S>(get: &HttpGet, pod_ip: Ipv4Addr, stream: S) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let fail = |e: &dyn std::fmt::Display| e.to_string();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| fail(&e))?;
    let driver = tokio::spawn(connection);
    let path = format!("/{}", get.path.trim_start_matches('/'));
    let mut request = http::Request::get(path).header("User-Agent", "kube-probe/1.35").header("Accept", "*/*");
    if !get.http_headers.iter().any(|h| h.name.eq_ignore_ascii_case("host")) {
        request = request.header("Host", pod_ip.to_string());
    }
    for header in &get.http_headers {
        request = request.header(&header.name, &header.value);
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).map_err(|e| fail(&e))?;
    let response = sender.send_request(request).await.map_err(|e| fail(&e))?;
    let status = response.status().as_u16();
    // A little of the body, so that the server need not see a reset.
    let _ = tokio::time::timeout(Duration::from_millis(100), response.into_body().collect()).await;
    driver.abort();
    if (200..400).contains(&status) { Ok(()) } else { Err(format!("HTTP probe failed with statuscode: {status}")) }
}
