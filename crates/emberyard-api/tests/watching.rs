//! Watches over WebSockets as Spark's client opens them, and watchers that do not keep up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures::StreamExt;
use serde_json::Value;
use std::time::Duration;
use support::{CONFIG_MAPS, Events, Served, config_map, dial};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const SOON: Duration = Duration::from_secs(20);

async fn socket(served: &Served, path: &str) -> WebSocketStream<TlsStream<TcpStream>> {
    let stream = dial(served.address, &served.client(Some(&served.pki.admin), &[])).await;
    let url = format!("wss://localhost{path}");
    let (socket, response) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    assert_eq!(response.status(), 101);
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
    socket
}

async fn event(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> Value {
    loop {
        match timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => {
                assert!(!text.ends_with('\n'));
                return serde_json::from_str(&text).unwrap();
            }
            Message::Close(_) => panic!("closed"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_gets_one_event_a_frame_and_a_clean_close() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let mut made = config_map("mine", "1");
    made["metadata"]["labels"] = serde_json::json!({"spark-role": "executor"});
    assert_eq!(admin.post(CONFIG_MAPS, &made).await.0, 201);
    assert_eq!(admin.post(CONFIG_MAPS, &config_map("other", "1")).await.0, 201);
    let selector = "labelSelector=spark-role%3Dexecutor%2Cspark-exec-inactive%21%3Dtrue";
    let mut watch = socket(&served, &format!("{CONFIG_MAPS}?allowWatchBookmarks=true&{selector}&watch=true")).await;
    let first = event(&mut watch).await;
    assert_eq!((first["type"].as_str(), first["object"]["metadata"]["name"].as_str()), (Some("ADDED"), Some("mine")));
    assert_eq!(admin.json("DELETE", &format!("{CONFIG_MAPS}/mine"), None).await.0, 200);
    let deleted = loop {
        let event = event(&mut watch).await;
        if event["type"] != "BOOKMARK" {
            break event;
        }
    };
    assert_eq!(deleted["type"], "DELETED");
    // It can come back where it was.
    let revision = deleted["object"]["metadata"]["resourceVersion"].as_str().unwrap();
    assert_eq!(admin.post(CONFIG_MAPS, &made).await.0, 201);
    let mut again = socket(&served, &format!("{CONFIG_MAPS}?{selector}&watch=true&resourceVersion={revision}")).await;
    assert_eq!(event(&mut again).await["type"], "ADDED");
    served.shutdown.cancel();
    let closed = timeout(SOON, async {
        loop {
            match again.next().await {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(u16::from(closed.await.unwrap().unwrap().code), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_websocket_is_told_why() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let mut request = admin.request("GET", &format!("{CONFIG_MAPS}?watch=true"), None);
    request.headers_mut().insert("connection", "Upgrade".parse().unwrap());
    request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    assert_eq!(admin.send(request).await.unwrap().status(), 400);
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_does_not_read_holds_nobody_up() {
    let served = Served::start().await;
    let mut admin = served.admin().await;
    let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion=0");
    let mut asleep = Vec::new();
    for _ in 0..20 {
        let mut client = served.admin().await;
        let request = client.request("GET", &path, None);
        asleep.push((client.send(request).await.unwrap(), client));
    }
    let mut awake = served.admin().await;
    let request = awake.request("GET", &path, None);
    let mut events = Events::new(awake.send(request).await.unwrap().into_body());
    let text = "x".repeat(100_000);
    for turn in 0..100 {
        let made = admin.post(CONFIG_MAPS, &config_map(&format!("big-{turn}"), &text)).await;
        assert_eq!(made.0, 201, "{}", made.1);
        loop {
            let event = timeout(SOON, events.next()).await.unwrap().unwrap();
            if event["object"]["metadata"]["name"] == format!("big-{turn}") {
                break;
            }
        }
    }
    // Those asleep find everything, once each, when they wake.
    let (response, _client) = asleep.pop().unwrap();
    let mut events = Events::new(response.into_body());
    let mut seen = 0;
    while seen < 100 {
        let event = timeout(SOON, events.next()).await.unwrap().unwrap();
        if event["object"]["metadata"]["name"] == format!("big-{seen}") {
            seen += 1;
        }
    }
    served.stop().await.unwrap();
}
