//! `/portForward`: a client's connections to ports of a pod, over SPDY/3.1 (in a WebSocket, as kubectl does, or plain) or
//! over the channels of a WebSocket.

mod dial;
mod pipe;
mod session;
mod wire;

use super::registry::{PodView, Registry};
use super::server::{Body, text};
use super::upgrade;
use emberyard_pod::port_forward::{Channels, Port, Streams, ports};
use emberyard_sandbox::PodSandbox;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use session::Session;
use wire::Wire;

/// SPDY inside of a WebSocket's binary messages.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
/// The protocol inside of SPDY; as a WebSocket's it means channels.
const PORT_FORWARD: &str = "portforward.k8s.io";
const CHANNELS: [&str; 2] = ["v4.channel.k8s.io", PORT_FORWARD];
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// The pod that connections go to.
#[derive(Clone)]
struct Target {
    registry: Registry,
    uid: String,
    name: String,
    sandbox: PodSandbox,
}

impl Target {
    /// Whether the pod still runs.
    fn is_there(&self) -> bool {
        self.registry.get(&self.uid).is_some_and(|pod| {
            let ended = matches!(pod.object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
            pod.sandbox.is_some() && !ended
        })
    }
}

/// How a client wants to speak.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Tunnel,
    Spdy,
    Channels(Option<&'static str>, Vec<Port>),
}

/// Accepts the upgrade and goes on in the background.
pub(super) fn answer(
    request: Request<Incoming>,
    pod: PodView,
    registry: &Registry,
    query: &[(String, String)],
) -> Response<Body> {
    let way = match way(request.headers(), query) {
        Ok(way) => way,
        Err((status, why)) => return text(status, &why),
    };
    let Some(sandbox) = pod.sandbox else {
        let phase = pod.object["status"]["phase"].as_str().unwrap_or("Pending");
        let why = format!("unable to forward port because pod is not running. Current status={phase}");
        return text(StatusCode::BAD_REQUEST, &why);
    };
    let response = match &way {
        Way::Tunnel => upgrade::to_websocket(request.headers(), Some(TUNNEL)),
        Way::Channels(protocol, _) => upgrade::to_websocket(request.headers(), *protocol),
        Way::Spdy => Some(upgrade::switching("SPDY/3.1", STREAM_PROTOCOL, Some(PORT_FORWARD))),
    };
    let Some(response) = response else { return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing") };
    let name = pod.object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let target = Target { registry: registry.clone(), uid: pod.uid, name, sandbox };
    tokio::spawn(async move {
        let upgraded = match hyper::upgrade::on(request).await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "an upgrade did not happen"),
        };
        let ended = match way {
            Way::Tunnel => {
                Session::new(Streams::default(), target).run(Wire::messages(upgraded).await, Vec::new()).await
            }
            Way::Spdy => Session::new(Streams::default(), target).run(Wire::bytes(upgraded), Vec::new()).await,
            Way::Channels(_, ports) => {
                let (channels, begin) = Channels::new(&ports);
                Session::new(channels, target).run(Wire::messages(upgraded).await, begin).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a client of port-forward breaks the rules");
        }
    });
    response
}

fn way(headers: &HeaderMap, query: &[(String, String)]) -> Result<Way, (StatusCode, String)> {
    let bad = |why: String| (StatusCode::BAD_REQUEST, why);
    let to = upgrade::text_of(headers, header::UPGRADE);
    if to.eq_ignore_ascii_case("SPDY/3.1") {
        let offered = upgrade::offered(headers, STREAM_PROTOCOL);
        if offered.contains(&PORT_FORWARD) {
            return Ok(Way::Spdy);
        }
        let why = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {offered:?}, server accepts [{PORT_FORWARD}]"
        );
        return Err((StatusCode::FORBIDDEN, why));
    }
    if !to.eq_ignore_ascii_case("websocket") {
        return Err(bad("unable to upgrade: ask for a WebSocket or for SPDY/3.1".to_owned()));
    }
    let offered = upgrade::offered(headers, header::SEC_WEBSOCKET_PROTOCOL);
    if offered.contains(&TUNNEL) {
        return Ok(Way::Tunnel);
    }
    let chosen = CHANNELS.into_iter().find(|known| offered.contains(known));
    if chosen.is_none() && !offered.is_empty() {
        return Err(bad(format!("offer {TUNNEL} or {}", CHANNELS[0])));
    }
    let named = query.iter().filter(|(name, _)| name == "port").map(|(_, value)| value.as_str());
    Ok(Way::Channels(chosen, ports(named).map_err(|error| bad(error.to_string()))?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_understood() {
        let ports = |numbers: &[&str]| numbers.iter().map(|n| Port::parse(n).unwrap()).collect::<Vec<_>>();
        let (socket, spdy) = (("upgrade", "websocket"), ("upgrade", "SPDY/3.1"));
        let protocol = "sec-websocket-protocol";
        for (headers, query, expected) in [
            (&[socket, (protocol, "SPDY/3.1+portforward.k8s.io")][..], &[][..], Ok(Way::Tunnel)),
            (
                &[socket, (protocol, "v5.channel.k8s.io, v4.channel.k8s.io")],
                &["80,81", "82"],
                Ok(Way::Channels(Some("v4.channel.k8s.io"), ports(&["80", "81", "82"]))),
            ),
            (&[socket], &["80"], Ok(Way::Channels(None, ports(&["80"])))),
            (&[socket], &[], Err(400)),
            (&[socket], &["0"], Err(400)),
            (&[socket, (protocol, "v9")], &["80"], Err(400)),
            (&[spdy, ("x-stream-protocol-version", "portforward.k8s.io")], &[], Ok(Way::Spdy)),
            (&[spdy, ("x-stream-protocol-version", "v9")], &[], Err(403)),
            (&[], &["80"], Err(400)),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            let query: Vec<_> = query.iter().map(|port| ("port".to_owned(), (*port).to_owned())).collect();
            assert_eq!(way(&map, &query).map_err(|(status, _)| status.as_u16()), expected, "{headers:?}");
        }
    }
}
