//! Logs, exec and proxies through to a kubelet and a pod.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;
use support::kubelet::{kubelet, place};
use support::{PODS, Served, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const SOON: Duration = Duration::from_secs(20);
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_and_exec_go_through_to_the_kubelet() {
    let served = Served::start().await;
    let (port, asked) = kubelet(&served).await;
    let mut admin = served.admin().await;
    place(&mut admin, "web", port, "10.42.1.5").await;
    let (status, text) = admin.get(&format!("{PODS}/web/log?tailLines=2&follow=true")).await;
    assert_eq!((status, text), (200, Value::String("one\ntwo\n".to_owned())));
    let first = asked.lock().unwrap()[0].clone();
    assert!(first.starts_with("/containerLogs/default/web/main?"), "{first}");
    assert!(first.contains("tailLines=2") && first.contains("follow=true"), "{first}");

    let stream = dial(served.address, &served.client(Some(&served.pki.admin), &[])).await;
    let path = format!("wss://localhost{PODS}/web/exec?command=ls&command=-l&stdout=true&stdin=true");
    let mut request = path.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "v5.channel.k8s.io".parse().unwrap());
    let (mut socket, response) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "v5.channel.k8s.io");
    for size in [1, 1000, 200_000] {
        let mut message = vec![0_u8; size];
        message[size - 1] = 7;
        socket.send(Message::Binary(message.clone().into())).await.unwrap();
        let echoed = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(echoed.into_data(), message);
    }
    let exec = asked.lock().unwrap()[1].clone();
    assert!(exec.starts_with("/exec/default/web/main?") && exec.contains("command=ls&command=-l"), "{exec}");

    // Over SPDY it is refused in words.
    let (status, body) = admin.json("POST", &format!("{PODS}/web/exec?command=ls&stdout=true"), None).await;
    assert_eq!((status, body["reason"].as_str()), (501, Some("NotImplemented")), "{body}");
    let (status, body) = admin.json("POST", &format!("{PODS}/web/portforward"), None).await;
    assert_eq!((status, body["reason"].as_str()), (400, Some("BadRequest")), "without an upgrade: {body}");
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn port_forward_over_plain_spdy_goes_through_to_the_kubelet() {
    let served = Served::start().await;
    let (port, asked) = kubelet(&served).await;
    place(&mut served.admin().await, "web", port, "10.42.1.5").await;
    let mut stream = dial(served.address, &served.client(Some(&served.pki.admin), &[])).await;
    let head = format!(
        "POST {PODS}/web/portforward HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\
         X-Stream-Protocol-Version: portforward.k8s.io\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(SOON, stream.read_u8()).await.unwrap().unwrap());
    }
    let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for header in ["connection: upgrade", "upgrade: spdy/3.1", "x-stream-protocol-version: portforward.k8s.io"] {
        assert!(answer.contains(header), "{header}: {answer}");
    }
    let mut echoed = [0; 4];
    stream.write_all(b"\x80\x03\0\x06").await.unwrap();
    timeout(SOON, stream.read_exact(&mut echoed)).await.unwrap().unwrap();
    assert_eq!(&echoed, b"\x80\x03\0\x06");
    assert_eq!(asked.lock().unwrap().as_slice(), ["/portForward/default/web"]);
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_is_named() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let port = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    place(&mut admin, "web", port, "10.42.1.5").await;
    let (status, body) = admin.get(&format!("{PODS}/web/log")).await;
    assert_eq!(status, 500);
    assert!(body["message"].as_str().unwrap().contains("n1"), "{body}");
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_reached_through_its_proxy_path() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    // The pod stands on an address of this machine that is not 127.0.0.1, where one is refused.
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let Some(ip) = own_address() else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<Incoming>| async move {
                let said = format!("{} {}", request.method(), request.uri());
                let length = request.into_body().collect().await.unwrap().to_bytes().len();
                let response = Response::builder().header("location", "/elsewhere").status(302);
                Ok::<_, Infallible>(response.body(Full::<Bytes>::from(format!("{said} {length}"))).unwrap())
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    place(&mut admin, "web", 1, &ip.to_string()).await;
    let prefix = format!("{PODS}/web:{port}/proxy");
    let body = Full::from(vec![b'x'; 5 << 20]);
    let request = http::Request::put(format!("{prefix}/a/b?c=d")).header("host", "x").body(body).unwrap();
    let response = timeout(SOON, admin.send(request)).await.unwrap().unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], format!("{prefix}/elsewhere"));
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, format!("PUT /a/b?c=d {}", 5 << 20));
    served.stop().await.unwrap();
}

/// An address of this machine that others could use: what a route to elsewhere would start from.
fn own_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}
