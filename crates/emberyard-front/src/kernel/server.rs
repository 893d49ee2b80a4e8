//! A Jupyter server by its link.

use crate::error::FrontError;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Longest answer that is read.
const LONGEST: usize = 16 << 20;

/// A Jupyter server: where, behind which path, with which token.
#[derive(Clone)]
pub struct Server {
    authority: String,
    base: String,
    token: String,
}

impl Server {
    /// Reads a link as `emberyard notebook url` prints it (`http://HOST:PORT/PATH/?token=TOKEN`).
    ///
    /// # Errors
    /// [`FrontError::Server`] when it is no such link.
    pub fn from_link(link: &str) -> Result<Self, FrontError> {
        let wrong = || FrontError::Server {
            what: "link".to_owned(),
            why: "it is not http://HOST:PORT/PATH?token=TOKEN".to_owned(),
        };
        let url = url::Url::parse(link).map_err(|_| wrong())?;
        let token =
            url.query_pairs().find(|(key, _)| key == "token").map(|(_, value)| value.into_owned()).ok_or_else(wrong)?;
        let host = url.host_str().filter(|_| url.scheme() == "http").ok_or_else(wrong)?;
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        let path = url.path();
        let base = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
        Ok(Self { authority: format!("{host}:{port}"), base, token })
    }

    async fn connect(&self, what: &str) -> Result<TcpStream, FrontError> {
        let failed = |error: std::io::Error| FrontError::Server { what: what.to_owned(), why: error.to_string() };
        let stream = TcpStream::connect(&self.authority).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(stream)
    }

    /// One REST request.
    pub(super) async fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, FrontError> {
        let what = format!("{method} {path}");
        let failed = |why: String| FrontError::Server { what: what.clone(), why };
        let stream = self.connect(&what).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(error.to_string()))?;
        tokio::spawn(connection);
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("host", &self.authority)
            .header("authorization", format!("token {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        let read =
            Limited::new(response.into_body(), LONGEST).collect().await.map_err(|error| failed(error.to_string()))?;
        let bytes = read.to_bytes();
        if !status.is_success() {
            let text: String = String::from_utf8_lossy(&bytes).chars().take(300).collect();
            return Err(failed(format!("{status} {text}")));
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(format!("not JSON: {error}")))
    }

    /// A WebSocket.
    pub(super) async fn socket(&self, path: &str) -> Result<WebSocketStream<TcpStream>, FrontError> {
        let failed = |why: String| FrontError::Server { what: "kernel's channels".to_owned(), why };
        let mut request = format!("ws://{}{}{path}", self.authority, self.base)
            .into_client_request()
            .map_err(|error| failed(error.to_string()))?;
        let token = format!("token {}", self.token)
            .parse()
            .map_err(|_| failed("the token holds a character no header can".to_owned()))?;
        request.headers_mut().insert("authorization", token);
        let stream = self.connect("kernel's channels").await?;
        let (socket, _) =
            tokio_tungstenite::client_async(request, stream).await.map_err(|error| failed(error.to_string()))?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn links_are_read_or_refused() {
        let server = Server::from_link("http://127.0.0.1:8800/notebooks/n/a?token=x%2By").unwrap();
        assert_eq!(
            (server.authority.as_str(), server.base.as_str(), server.token.as_str()),
            ("127.0.0.1:8800", "/notebooks/n/a/", "x+y")
        );
        for link in ["", "http://127.0.0.1/", "https://h/?token=a", "ftp://h/?token=a"] {
            assert!(Server::from_link(link).is_err(), "{link}");
        }
    }
}
