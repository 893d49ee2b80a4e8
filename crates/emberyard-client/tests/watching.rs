//! The watch against a server that misbehaves on purpose: closes, resets, forgets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use emberyard_client::{Client, ContentKind, WatchEvent};
use futures::StreamExt;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

type Seen = Arc<Mutex<Vec<String>>>;

/// Serves `answers` in turn; the last one for ever.
async fn server(answers: Vec<(u16, &'static str)>) -> (Client, Seen, tempfile::TempDir) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Seen = Arc::default();
    let answers = Arc::new(answers);
    let log = seen.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (log, answers) = (log.clone(), answers.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let turn = {
                        let mut log = log.lock().unwrap();
                        let kind = request.headers().get("content-type").map_or("", |v| v.to_str().unwrap_or(""));
                        log.push(format!("{} {} {kind}", request.method(), request.uri()).trim().to_owned());
                        log.len() - 1
                    };
                    let (status, body) = answers[turn.min(answers.len() - 1)];
                    async move {
                        let body = Full::new(Bytes::from_static(body.as_bytes()));
                        Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
                    }
                });
                drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: a, user: {{}}}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    (Client::from_kubeconfig(&file).await.unwrap(), seen, folder)
}

const LIST: &str =
    r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}"#;

#[tokio::test]
async fn lists_follows_resumes_and_lists_again_after_410() {
    let (client, seen, _folder) = server(vec![
        (200, LIST),
        (200, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"8\"}}}\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n"),
        (503, "busy"),
        (200, "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"10\"}}}\n{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"too old\"}}\n"),
        (200, LIST),
        (410, r#"{"kind":"Status","reason":"Expired","message":"too old"}"#),
        (200, LIST),
    ])
    .await;
    let events: Vec<WatchEvent> = client.watch("/api/v1/pods", &[("labelSelector", "x=y")]).take(6).collect().await;
    let words: Vec<String> = events
        .iter()
        .map(|event| match event {
            WatchEvent::Added(o) => format!("added {}", o["metadata"]["name"]),
            WatchEvent::Modified(o) => format!("modified {}", o["metadata"]["name"]),
            WatchEvent::Deleted(o) => format!("deleted {}", o["metadata"]["name"]),
            WatchEvent::Bookmark(revision) => format!("bookmark {revision}"),
            WatchEvent::Restarted(items) => format!("restarted {} {}", items.len(), items[0]["kind"]),
        })
        .collect();
    assert_eq!(
        words,
        [
            "restarted 1 \"Pod\"",
            "added \"b\"",
            "bookmark 9",
            "deleted \"b\"",
            "restarted 1 \"Pod\"",
            "restarted 1 \"Pod\""
        ]
    );
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[0], "GET /api/v1/pods?labelSelector=x%3Dy&limit=500");
    assert!(seen[1].contains("resourceVersion=7") && seen[1].contains("watch=true"), "{}", seen[1]);
    assert!(seen[2].contains("resourceVersion=9") && seen[3].contains("resourceVersion=9"), "{seen:?}");
}

#[tokio::test]
async fn requests_carry_their_kind_and_errors_their_reason() {
    let (client, seen, _folder) = server(vec![
        (200, "{}"),
        (404, r#"{"kind":"Status","reason":"NotFound","message":"no such pod"}"#),
        (404, r#"{"kind":"Status","reason":"NotFound","message":"no such pod"}"#),
        (200, LIST),
    ])
    .await;
    let body = serde_json::json!({});
    client.patch("/x", &body, ContentKind::StrategicMergePatch).await.unwrap();
    assert_eq!(client.find("/x").await, Ok(None));
    assert_eq!(client.get("/x", &[]).await.unwrap_err().reason, "NotFound");
    let (items, revision) = client.list("/x", &[]).await.unwrap();
    assert_eq!((items[0]["apiVersion"].as_str(), revision.as_str()), (Some("v1"), "7"));
    assert_eq!(seen.lock().unwrap()[0], "PATCH /x application/strategic-merge-patch+json");
}

#[tokio::test]
async fn a_bad_kubeconfig_is_named() {
    let Err(error) = Client::from_kubeconfig(std::path::Path::new("/nowhere/kubeconfig")).await else {
        panic!("made a client")
    };
    assert!(emberyard_model::Explained::explain(&error).contains("/nowhere/kubeconfig"));
}
