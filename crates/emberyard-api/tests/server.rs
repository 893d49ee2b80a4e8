//! The server as clients meet it: TLS, HTTP/1.1 and HTTP/2, who they are, limits, the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::time::Duration;
use support::{CONFIG_MAPS, Client, Events, Served, config_map, dial, http2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speaks_both_protocols_and_knows_who_asks() {
    let served = Served::start().await;
    // Without ALPN: HTTP/1.1, as Spark's client wants it.
    let stream = dial(served.address, &served.client(None, &[])).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    let mut nobody = served.someone(None).await;
    let (status, body) = nobody.get(CONFIG_MAPS).await;
    assert_eq!(status, 403, "{body}");
    assert!(body["message"].as_str().unwrap().contains("system:anonymous"), "{body}");
    assert_eq!(nobody.get("/version").await.1["minor"], "35");
    nobody.token = Some("not.a.token".to_owned());
    assert_eq!(nobody.get(CONFIG_MAPS).await.0, 401);

    let mut admin = served.admin().await;
    let (status, made) = admin.post(CONFIG_MAPS, &config_map("one", "1")).await;
    assert_eq!(status, 201, "{made}");
    let (mut sender, _) = http2(&served, Some(&served.pki.admin)).await;
    let request = http::Request::get(format!("https://localhost{CONFIG_MAPS}/one")).body(Full::default()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), made);
    let request = http::Request::head("https://localhost/version").body(Full::default()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_is_told_so() {
    let served = Served::start().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{answer}");
    assert!(body.contains("https://"));
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_bodies_are_refused() {
    let served = Served::start().await;
    let long = vec![b'x'; (3 << 20) + 1];
    // Told beforehand.
    let mut admin = served.admin().await;
    let request = http::Request::post(CONFIG_MAPS).header("host", "x").body(Full::from(long.clone())).unwrap();
    let response = admin.send(request).await.unwrap();
    assert_eq!(response.status(), 413);
    // And not told: chunks without end.
    let mut stream = dial(served.address, &served.client(Some(&served.pki.admin), &[])).await;
    let head =
        format!("POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", long.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = stream.write_all(&long).await;
    let mut answer = [0; 12];
    timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_streams_over_both_protocols() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let list = admin.get(CONFIG_MAPS).await.1;
    let revision = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion={revision}&allowWatchBookmarks=true&timeoutSeconds=2");

    let mut watcher = served.admin().await;
    let request = watcher.request("GET", &path, None);
    // The head comes before any event.
    let response = timeout(Duration::from_secs(2), watcher.send(request)).await.unwrap().unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let mut one = Events::new(response.into_body());
    let (mut sender, _) = http2(&served, Some(&served.pki.admin)).await;
    let request = http::Request::get(format!("https://localhost{path}")).body(Full::default()).unwrap();
    let mut two = Events::new(timeout(SOON, sender.send_request(request)).await.unwrap().unwrap().into_body());

    assert_eq!(admin.post(CONFIG_MAPS, &config_map("watched", "1")).await.0, 201);
    // Something the watches do not show, so that there is news for a bookmark.
    let elsewhere = "/api/v1/namespaces/kube-system/configmaps";
    let (status, made) = admin.post(elsewhere, &config_map("unseen", "1")).await;
    assert_eq!(status, 201, "{made}");
    for events in [&mut one, &mut two] {
        let event = timeout(SOON, events.next()).await.unwrap().unwrap();
        assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("watched")));
        // Before the end by time comes a bookmark, then the end.
        let last = timeout(SOON, events.next()).await.unwrap().unwrap();
        assert_eq!(last["type"], "BOOKMARK", "{last}");
        let at = |v: &serde_json::Value| v["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
        assert!(at(&last["object"]) >= at(&made));
        assert!(timeout(SOON, events.next()).await.unwrap().is_none());
    }
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_signed_and_known_again() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}});
    assert_eq!(admin.post("/api/v1/namespaces/default/serviceaccounts", &account).await.0, 201);
    let ask =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}});
    let path = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    let (status, answer) = admin.post(path, &ask).await;
    assert_eq!(status, 201, "{answer}");
    let token = answer["status"]["token"].as_str().unwrap().to_owned();
    assert!(!token.ends_with('\n'));

    let mut robot = served.someone(None).await;
    robot.token = Some(token.clone());
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let (status, who) = robot.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await;
    assert_eq!(status, 201, "{who}");
    assert_eq!(who["status"]["userInfo"]["username"], "system:serviceaccount:default:robot");

    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
    let (status, reviewed) = admin.post("/apis/authentication.k8s.io/v1/tokenreviews", &review).await;
    assert_eq!(status, 201, "{reviewed}");
    assert_eq!(reviewed["status"]["authenticated"], true, "{reviewed}");

    // Gone with its account.
    assert_eq!(admin.json("DELETE", "/api/v1/namespaces/default/serviceaccounts/robot", None).await.0, 200);
    assert_eq!(robot.get(CONFIG_MAPS).await.0, 401);
    let keys = served.someone(None).await.get("/openid/v1/jwks").await.1;
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_announced_and_what_was_said_stays() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::at(folder.path(), |_| {}).await;
    let mut admin = served.admin().await;
    assert_eq!(admin.post(CONFIG_MAPS, &config_map("kept", "1")).await.0, 201);
    let mut watcher = served.admin().await;
    let request = watcher.request("GET", &format!("{CONFIG_MAPS}?watch=true&resourceVersion=0"), None);
    let mut events = Events::new(watcher.send(request).await.unwrap().into_body());
    let (mut sender, connection) = http2(&served, Some(&served.pki.admin)).await;
    let request = http::Request::get("https://localhost/version").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    timeout(SOON, served.stop()).await.unwrap().unwrap();
    while timeout(SOON, events.next()).await.unwrap().is_some() {}
    // GOAWAY: the client's connection ends without an error.
    timeout(SOON, connection).await.unwrap().unwrap().unwrap();

    let again = Served::at(folder.path(), |_| {}).await;
    let mut admin = again.admin().await;
    assert_eq!(admin.get(&format!("{CONFIG_MAPS}/kept")).await.1["data"]["value"], "1");
    again.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_and_half_open_ones_leave_room() {
    let served = Served::start().await;
    let before = memory();
    let connector = served.client(Some(&served.pki.admin), &[]);
    let mut idle = Vec::new();
    for _ in 0..1000 {
        // Half of them never finish their handshake.
        idle.push(TcpStream::connect(served.address).await.unwrap());
        if idle.len() % 2 == 0 {
            let mut client = Client::new(served.address, connector.clone()).await;
            if idle.len() % 20 == 0 {
                assert_eq!(client.get("/version").await.0, 200);
            }
            std::mem::forget(client);
        }
    }
    let mut admin = served.admin().await;
    assert_eq!(timeout(SOON, admin.get("/readyz")).await.unwrap().0, 200);
    let grown = memory().saturating_sub(before);
    assert!(grown < 300 << 20, "1500 connections took {grown} bytes, the clients' half included");
    served.stop().await.unwrap();
}

/// Resident memory of this process in bytes.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
