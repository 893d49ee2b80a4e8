//! A Jupyter server: sessions by REST.

use super::RunError;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// Jupyter answers within this, also while it starts a kernel.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Where a notebook answers, and the token for it.
#[derive(Debug, Clone)]
pub struct Jupyter {
    base: Url,
    token: String,
}

/// A session: a kernel of one's own.
#[derive(Debug)]
pub(super) struct Session {
    pub id: String,
    pub kernel: String,
}

impl Jupyter {
    /// From the notebook's link, as `notebook url` prints it: the token is in its query.
    pub fn from_link(link: &str) -> Result<Self, RunError> {
        let bad = |why: &str| RunError::Unreachable(format!("{link} is no link of a notebook: {why}"));
        let mut base = Url::parse(link).map_err(|error| bad(&error.to_string()))?;
        if base.scheme() != "http" || base.host_str().is_none() {
            return Err(bad("it does not begin with http://HOST"));
        }
        let token = base.query_pairs().find(|(key, _)| key == "token").map(|(_, value)| value.into_owned());
        let token = token.ok_or_else(|| bad("it has no token"))?;
        base.set_query(None);
        base.set_fragment(None);
        let path = format!("{}/", base.path().trim_end_matches("lab").trim_end_matches('/'));
        base.set_path(&path);
        Ok(Self { base, token })
    }

    /// Host and port, as a Host header has them.
    pub(super) fn authority(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(super) fn authorization(&self) -> String {
        format!("token {}", self.token)
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.base.path())
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, RunError> {
        let port = self.base.port_or_known_default().unwrap_or(80);
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, port)).await.map_err(|e| RunError::Unreachable(e.to_string()))?;
        drop(stream.set_nodelay(true));
        Ok(stream)
    }

    /// Whether the server answers to this token.
    pub async fn answers(&self) -> bool {
        self.ask(Method::GET, "api/status", None).await.is_ok()
    }

    /// Starts a kernel for a session of this name.
    pub(super) async fn open(&self, name: &str, kernel: &str) -> Result<Session, RunError> {
        let body = json!({"path": name, "name": name, "type": "notebook", "kernel": {"name": kernel}});
        let answer = self.ask(Method::POST, "api/sessions", Some(&body)).await?;
        match (answer["id"].as_str(), answer["kernel"]["id"].as_str()) {
            (Some(id), Some(kernel)) => Ok(Session { id: id.to_owned(), kernel: kernel.to_owned() }),
            _ => Err(RunError::Unreachable("Jupyter's answer names no kernel".to_owned())),
        }
    }

    /// Whether the kernel is there.
    pub(super) async fn has_kernel(&self, kernel: &str) -> Result<bool, RunError> {
        match self.ask(Method::GET, &format!("api/kernels/{kernel}"), None).await {
            Ok(_) => Ok(true),
            Err(RunError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends a session and its kernel.
    pub(super) async fn close(&self, session: &Session) -> Result<(), RunError> {
        self.ask(Method::DELETE, &format!("api/sessions/{}", session.id), None).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, RunError> {
        let what = format!("{method} {path}");
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.send(method, path, body));
        let (status, bytes) = answer.await.map_err(|_| RunError::Unreachable(format!("no answer to {what}")))??;
        if !(200..300).contains(&status) {
            let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let message = said["message"].as_str().unwrap_or("no reason given").to_owned();
            return Err(RunError::Refused { status, what, message });
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Bytes), RunError> {
        let lost = |error: hyper::Error| RunError::Unreachable(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await?)).await.map_err(lost)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(self.path(path))
            .header(HOST, self.authority())
            .header(AUTHORIZATION, self.authorization())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))
            .map_err(|error| RunError::Unreachable(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await.map_err(lost)?.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        for link in ["http://127.0.0.1:8/notebooks/d/n/?token=t", "http://127.0.0.1:8/notebooks/d/n/lab?token=t#x"] {
            let jupyter = Jupyter::from_link(link).unwrap();
            assert_eq!(jupyter.path("api"), "/notebooks/d/n/api", "{link}");
            assert_eq!((jupyter.authority().as_str(), jupyter.authorization().as_str()), ("127.0.0.1:8", "token t"));
        }
        for link in ["x", "https://a/?token=t", "http://a/"] {
            assert!(Jupyter::from_link(link).is_err(), "{link}");
        }
    }
}
