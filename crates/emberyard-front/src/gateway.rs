//! The gateway: `/notebooks/NAMESPACE/NAME/...` leads to the notebook, `.../spark:PORT/...` to its Spark UI.

use crate::error::FrontError;
use crate::guard::{self, Entry};
use crate::pass::{self, Body, text};
use crate::routes::{Key, Notebook, Routes};
use emberyard_client::Client;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the gateway needs.
pub struct Gateway {
    /// Where it listens: a socket opened on the machine's side.
    pub listener: std::net::TcpListener,
    /// How it learns of notebooks: needs to list and watch pods and secrets.
    pub client: Client,
    /// Port of Jupyter in a notebook's pod.
    pub jupyter_port: u16,
    /// Port of the Spark UI's door in a notebook's pod.
    pub door_port: u16,
    /// Ends it.
    pub shutdown: CancellationToken,
}

#[derive(Clone)]
struct Doors {
    routes: Routes,
    jupyter: u16,
    spark: u16,
}

/// Serves until shutdown.
///
/// # Errors
/// [`FrontError::Listen`] when the listener can't be used.
pub async fn serve(gateway: Gateway) -> Result<(), FrontError> {
    let Gateway { listener, client, jupyter_port, door_port, shutdown } = gateway;
    listener.set_nonblocking(true).map_err(FrontError::Listen)?;
    let listener = TcpListener::from_std(listener).map_err(FrontError::Listen)?;
    let routes = Routes::default();
    tokio::spawn(routes.clone().follow(client, shutdown.clone()));
    let doors = Doors { routes, jupyter: jupyter_port, spark: door_port };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return Ok(()),
        };
        match accepted {
            Ok((stream, _)) => {
                let doors = doors.clone();
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let service = service_fn(move |request| {
                        let doors = doors.clone();
                        async move { Ok::<_, Infallible>(doors.answer(request).await) }
                    });
                    let mut server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    server.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
                    // A browser that leaves in the middle is no event worth a word.
                    let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "gateway: accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

impl Doors {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !guard::host_is_ours(request.headers(), request.uri()) {
            return text(StatusCode::MISDIRECTED_REQUEST, "This gateway answers to 127.0.0.1 and localhost only.\n");
        }
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/" => return self.page(),
            "/healthz" => return text(StatusCode::OK, "ok\n"),
            _ => {}
        }
        let Some((key, rest)) = split(&path) else { return text(StatusCode::NOT_FOUND, "No such page.\n") };
        let Some(notebook) = self.routes.find(&key) else {
            return text(StatusCode::NOT_FOUND, format!("There is no notebook {} in {}.\n", key.1, key.0));
        };
        let Some(address) = notebook.address else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "The notebook is starting or stopped.\n");
        };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let entry = guard::entry(&key, &notebook, request.headers(), request.uri());
        let prefix = format!("/notebooks/{}/{}", key.0, key.1);
        let mut response = if rest.starts_with("/spark:") || rest == "/spark" || rest.starts_with("/spark/") {
            if entry == Entry::None {
                return text(StatusCode::FORBIDDEN, "Open the notebook first, by its link with the token.\n");
            }
            // The door has no logins of its own: it gets the path it knows, and nobody's token.
            let (rest, prefix) = match rest.strip_prefix("/spark").filter(|rest| !rest.starts_with(':')) {
                Some(rest) => (if rest.is_empty() { "/" } else { rest }.to_owned(), format!("{prefix}/spark")),
                None => (rest.to_owned(), prefix),
            };
            let query: Vec<&str> = query
                .trim_start_matches('?')
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with("token="))
                .collect();
            let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
            pass::on(request, SocketAddr::new(address, self.spark), &format!("{rest}{query}"), &prefix).await
        } else {
            pass::on(request, SocketAddr::new(address, self.jupyter), &format!("{path}{query}"), "").await
        };
        if entry == Entry::ByLink {
            remember(&key, &notebook, &prefix_cookie(&key), &mut response);
        }
        response
    }

    /// Which notebooks are there; links without tokens, which reveal no more than their names.
    fn page(&self) -> Response<Body> {
        let mut page =
            String::from("<!doctype html><meta charset=\"utf-8\"><title>Emberyard</title><h1>Emberyard</h1><ul>");
        for ((namespace, name), notebook) in self.routes.all() {
            let state = if notebook.address.is_some() { "runs" } else { "starts or is stopped" };
            // Names are DNS labels: nothing in them needs escaping.
            let _ = write!(page, "<li><a href=\"/notebooks/{namespace}/{name}/lab\">{namespace}/{name}</a> {state}");
        }
        page.push_str("</ul><p>The link with the token: <code>emberyard notebook url NAME</code>");
        let mut response = text(StatusCode::OK, page);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }
}

fn prefix_cookie(key: &Key) -> String {
    format!("/notebooks/{}/{}/", key.0, key.1)
}

/// Sets the cookie that opens the Spark UI of this notebook, and nothing else.
fn remember(key: &Key, notebook: &Notebook, path: &str, response: &mut Response<Body>) {
    let Some(token) = &notebook.token else { return };
    let cookie = format!("{}={token}; Path={path}; HttpOnly; SameSite=Strict", guard::cookie_name(key));
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// `/notebooks/NAMESPACE/NAME/REST` in its parts; REST begins with a slash.
fn split(path: &str) -> Option<(Key, &str)> {
    let rest = path.strip_prefix("/notebooks/")?;
    let (namespace, rest) = rest.split_once('/')?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let good =
        |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.');
    (good(namespace) && good(name))
        .then(|| ((namespace.to_owned(), name.to_owned()), if rest.is_empty() { "/" } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn paths_are_split_or_refused() {
        let key = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(split("/notebooks/n/a/lab"), Some((key("n", "a"), "/lab")));
        assert_eq!(split("/notebooks/n/a"), Some((key("n", "a"), "/")));
        for path in ["/notebooks/n", "/notebooks//a/", "/x", "/notebooks/n/<b>/"] {
            assert_eq!(split(path), None, "{path}");
        }
    }
}
