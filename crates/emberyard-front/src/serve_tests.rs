//! The gateway against a small pod: what is passed on, what is kept, what is refused.

use super::*;
use crate::routes::Ports;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

/// Answers every request with what it was asked, as text; WebSockets are echoed.
async fn pod() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut peeked = [0; 2048];
                let n = stream.peek(&mut peeked).await.unwrap();
                if String::from_utf8_lossy(&peeked[..n]).to_lowercase().contains("upgrade: websocket") {
                    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                    while let Some(Ok(message)) = socket.next().await {
                        socket.send(message).await.unwrap();
                    }
                    return;
                }
                let n = stream.read(&mut peeked).await.unwrap();
                let body = String::from_utf8_lossy(&peeked[..n]).to_lowercase();
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            });
        }
    });
    port
}

struct Fixture {
    address: SocketAddr,
    shutdown: CancellationToken,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A gateway over routes, with an overview of one node.
fn over(routes: watch::Receiver<Arc<Routes>>) -> Gateway {
    let (_teller, token) = watch::channel(Some("yardsecret".to_owned()));
    let look: Source = Arc::new(|| {
        let node =
            overview::Node { name: "node-1".into(), state: "ready", cpu: "4".into(), memory: "8Gi".into(), pods: 1 };
        Box::pin(async move { Ok(overview::Overview { nodes: vec![node], ..overview::Overview::default() }) })
    });
    Gateway { routes, hosts: Vec::new(), look, token }
}

async fn gateway() -> Fixture {
    let port = pod().await;
    let id = |name: &str| NotebookId { namespace: "d".to_owned(), name: name.to_owned() };
    let here = Route {
        ip: Some("127.0.0.1".parse().unwrap()),
        token: Some("secret".to_owned()),
        phase: "Running".to_owned(),
        ports: Some(Ports { jupyter: port, door: port }),
    };
    let routes = Routes::from([(id("n"), here), (id("soon"), Route::default())]);
    let (_sender, receiver) = watch::channel(Arc::new(routes));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    tokio::spawn(accept(listener, over(receiver), shutdown.clone()));
    Fixture { address, shutdown }
}

/// One request by hand; status, head and body.
async fn get(gateway: &Fixture, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let host = if headers.contains("Host:") { "" } else { "Host: 127.0.0.1:1\r\n" };
    let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

fn given_cookie(head: &str) -> String {
    let line = head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap();
    line.split_once(':').unwrap().1.trim().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn jupyter_gets_its_own_path_and_honest_headers() {
    let gateway = gateway().await;
    let forged = "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-Prefix: /x\r\n";
    let (status, head, body) = get(&gateway, "/notebooks/d/n/lab?token=secret&a=1", forged).await;
    assert_eq!(status, 200);
    assert!(body.starts_with("get /notebooks/d/n/lab?token=secret&a=1 http/1.1"), "{body}");
    assert!(body.contains("x-forwarded-for: 127.0.0.1") && body.contains("host: 127.0.0.1:1"), "{body}");
    assert!(!body.contains("8.8.8.8") && !body.contains("prefix"), "{body}");
    assert!(given_cookie(&head).starts_with("emberyard_d_n="));
    let (_, head, _) = get(&gateway, "/notebooks/d/n/lab?token=wrong", "").await;
    assert!(!head.to_lowercase().contains("set-cookie"), "{head}");
}

#[tokio::test]
async fn the_spark_ui_opens_only_to_who_has_shown_the_token() {
    let gateway = gateway().await;
    let path = "/notebooks/d/n/spark:4040/jobs/";
    assert_eq!(get(&gateway, path, "").await.0, 403);
    assert_eq!(get(&gateway, "/notebooks/d/none/spark/", "").await.0, 403);
    let (status, head, _) = get(&gateway, &format!("{path}?token=secret&id=1"), "").await;
    assert_eq!(status, 302);
    assert!(head.contains(&format!("{path}?id=1")) && !head.contains("token=secret"), "{head}");
    let cookie = format!("Cookie: a=b; {}\r\n", given_cookie(&head));
    let (status, _, body) = get(&gateway, &format!("{path}?id=1"), &cookie).await;
    assert_eq!(status, 200);
    assert!(body.starts_with("get /spark:4040/jobs/?id=1 "), "{body}");
    let (_, _, index) = get(&gateway, "/", &cookie).await;
    assert!(index.contains("/notebooks/d/n/lab") && !index.contains("soon"), "{index}");
    assert!(!get(&gateway, "/", "").await.2.contains("/notebooks/"));
    assert_eq!(
        get(&gateway, "/status.json", &cookie).await.2,
        r#"{"notebooks":[{"name":"n","namespace":"d","path":"/notebooks/d/n/","phase":"Running"}]}"#
    );
}

#[tokio::test]
async fn the_overview_opens_only_to_who_has_shown_its_token() {
    let gateway = gateway().await;
    for closed in ["/yard", "/yard?token=secret", "/yard.json", "/yard?token="] {
        let (status, _, body) = get(&gateway, closed, "").await;
        assert!(status == 403 && !body.contains("node-1"), "{closed}: {status} {body}");
    }
    let (status, head, _) = get(&gateway, "/yard?token=yardsecret", "").await;
    assert!(status == 302 && !head.contains("yardsecret"), "{head}");
    let cookie = format!("Cookie: {}\r\n", given_cookie(&head));
    let (status, head, body) = get(&gateway, "/yard", &cookie).await;
    assert!(
        status == 200 && body.contains("<td>node-1") && head.to_lowercase().contains("refresh: 3"),
        "{head} {body}"
    );
    let (status, _, body) = get(&gateway, "/yard.json", &cookie).await;
    assert!(status == 200 && body.contains(r#""name":"node-1""#), "{body}");
    assert_eq!(get(&gateway, "/notebooks/d/n/spark/", &cookie).await.0, 403, "it opens nothing else");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let gateway = gateway().await;
    let table = [
        ("/healthz", "", 200),
        ("/nothing", "", 404),
        ("/notebooks/d/none/", "", 404),
        ("/notebooks/d/n?token=x", "", 302),
        ("/notebooks/d/soon/lab", "", 503),
        ("/", "Host: evil.example\r\n", 421),
        ("/notebooks/d/n/api", "Host: evil.example:80\r\n", 421),
    ];
    for (path, headers, wanted) in table {
        assert_eq!(get(&gateway, path, headers).await.0, wanted, "{path} {headers}");
    }
}

#[tokio::test]
async fn websockets_pass_both_ways() {
    let gateway = gateway().await;
    let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let url = format!("ws://127.0.0.1:{}/notebooks/d/n/api/kernels/k/channels", gateway.address.port());
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
}

#[tokio::test]
async fn callers_wait_until_the_notebooks_are_known() {
    let (sender, receiver) = watch::channel(Arc::new(Routes::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    tokio::spawn(accept(listener, over(receiver), shutdown.clone()));
    let gateway = Fixture { address, shutdown };
    let mut early = tokio::spawn(async move { get(&gateway, "/notebooks/d/n/lab", "").await });
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut early).await.is_err(), "answered without knowing");
    let id = NotebookId { namespace: "d".to_owned(), name: "n".to_owned() };
    sender.send_replace(Arc::new(Routes::from([(id, Route::default())])));
    let (status, _, body) = early.await.unwrap();
    assert_eq!(status, 503, "a notebook that is known and not there yet: {body}");
}
