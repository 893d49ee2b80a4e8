//! Logs, exec, attach, port-forward and proxies: the request goes on to a kubelet, pod or service.

use super::body::{self, Body, BodyError};
use super::outbound;
use super::service::{Gate, Peer};
use super::tunnel;
use emberyard_cluster::{Connect, ConnectKind, Scheme};
use http::header::{CONNECTION, HeaderValue, LOCATION, UPGRADE};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;

/// An error text of a kubelet is read up to this length.
const ERROR_TEXT: usize = 16 << 10;

/// Whether a path is a proxy's: its body is the target's, of any length. (The state machine decides what the path
/// means; this only tells whose the body is.)
pub fn keeps_body(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    matches!(
        parts.as_slice(),
        ["api", "v1", "nodes", _, "proxy", ..] | ["api", "v1", "namespaces", _, "pods" | "services", _, "proxy", ..]
    )
}

impl Gate {
    /// Connects the client with the target of its request.
    pub(super) async fn connect(
        &self,
        connect: Connect,
        peer: Arc<Peer>,
        mut parts: Parts,
        incoming: Option<Incoming>,
    ) -> Response<Body> {
        let websocket = tunnel::is_websocket(&parts.headers);
        match connect.kind {
            ConnectKind::PortForward if !tunnel::is_upgrade(&parts.headers) => {
                let message = "port-forward needs a connection that can be upgraded: to a WebSocket, or to SPDY/3.1";
                return body::status(400, "BadRequest", message);
            }
            ConnectKind::Exec | ConnectKind::Attach if !websocket => {
                let message = "exec and attach are served over WebSocket only (v5.channel.k8s.io or v4.channel.k8s.io), not over SPDY: use kubectl 1.31 or newer";
                return body::status(501, "NotImplemented", message);
            }
            _ => {}
        }
        let upgrade = parts.headers.get(UPGRADE).filter(|_| tunnel::is_upgrade(&parts.headers)).cloned();
        let upgrade = if connect.kind == ConnectKind::Log { None } else { upgrade };
        let body = match incoming {
            Some(incoming) if upgrade.is_none() => incoming.map_err(BodyError::from).boxed_unsync(),
            _ => body::full(""),
        };
        let mut response = match self.forward(&connect, &parts, upgrade.as_ref(), body).await {
            Ok(response) => response,
            Err(error) => return unreachable(&connect, &error),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let ends = (parts.extensions.remove::<OnUpgrade>(), response.extensions_mut().remove::<OnUpgrade>());
            let (Some(client), Some(target)) = ends else {
                return body::status(400, "BadRequest", "this connection can't be upgraded");
            };
            tunnel::join(client, target, peer, self.shutdown.clone());
            return switched(response, upgrade);
        }
        if connect.kind != ConnectKind::Proxy && !response.status().is_success() {
            return explained(response).await;
        }
        passed_on(&connect, response)
    }

    async fn forward(
        &self,
        connect: &Connect,
        parts: &Parts,
        upgrade: Option<&HeaderValue>,
        body: Body,
    ) -> Result<Response<Incoming>, BodyError> {
        let request = outbound::request(connect, parts, upgrade, body)?;
        let stream = self.dialer.connect(&connect.target).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection behind the API");
            }
        });
        Ok(sender.send_request(request).await?)
    }
}

/// 101, with the target's own words about the new protocol.
fn switched(response: Response<Incoming>, upgrade: Option<HeaderValue>) -> Response<Body> {
    let mut switched = Response::new(body::full(""));
    *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let mut headers = response.into_parts().0.headers;
    let protocol = headers.get(UPGRADE).cloned().or(upgrade);
    outbound::strip_hop(&mut headers);
    *switched.headers_mut() = headers;
    switched.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(protocol) = protocol {
        switched.headers_mut().insert(UPGRADE, protocol);
    }
    switched
}

/// The target's answer as the client's.
fn passed_on(connect: &Connect, response: Response<Incoming>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    outbound::strip_hop(&mut head.headers);
    head.version = http::Version::default();
    let moved = head.headers.get(LOCATION).and_then(|v| v.to_str().ok()).and_then(|l| relocated(connect, l));
    if let Some(value) = moved.and_then(|moved| HeaderValue::try_from(moved).ok()) {
        head.headers.insert(LOCATION, value);
    }
    Response::from_parts(head, body.map_err(BodyError::from).boxed_unsync())
}

/// A redirect within the target as one within the proxy's path.
fn relocated(connect: &Connect, location: &str) -> Option<String> {
    if connect.kind != ConnectKind::Proxy {
        return None;
    }
    let target = &connect.target;
    let scheme = if target.scheme == Scheme::Http { "http" } else { "https" };
    let own = format!("{scheme}://{}:{}", target.host, target.port);
    let path = location.strip_prefix(&own).unwrap_or(location);
    (path.starts_with('/') && !path.starts_with("//")).then(|| format!("{}{path}", connect.prefix))
}

/// A kubelet's error text as a `Status`.
async fn explained(response: Response<Incoming>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let text = match Limited::new(body, ERROR_TEXT).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => "the node's answer could not be read".into(),
    };
    let code = head.status.as_u16();
    if serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|value| value["kind"] == "Status") {
        return body::response(code, "application/json", body::full(text));
    }
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        _ => "InternalError",
    };
    body::status(code, reason, String::from_utf8_lossy(&text).trim())
}

/// As Kubernetes says it.
fn unreachable(connect: &Connect, error: &BodyError) -> Response<Body> {
    let target = &connect.target;
    if connect.kind == ConnectKind::Proxy {
        let message = format!("error trying to reach {}:{}: {error}", target.host, target.port);
        return body::status(503, "ServiceUnavailable", &message);
    }
    let node = target.node.as_deref().unwrap_or(&target.host);
    let message = format!("error dialing the agent of node {node} at {}:{}: {error}", target.host, target.port);
    body::status(500, "InternalError", &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_keep_the_body() {
        assert!(keeps_body("/api/v1/namespaces/a/services/b:80/proxy/x"));
        assert!(keeps_body("/api/v1/nodes/n/proxy"));
        assert!(!keeps_body("/api/v1/namespaces/a/pods/b/log"));
        assert!(!keeps_body("/api/v1/namespaces/proxy/pods"));
    }
}
