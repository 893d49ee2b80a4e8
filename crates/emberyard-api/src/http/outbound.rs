//! The request that goes on to a kubelet, pod or service.

use emberyard_cluster::{Connect, ConnectKind, Scheme};
use http::header::{
    AUTHORIZATION, CONNECTION, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_PROTOCOL, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method, Request};

/// Headers of one hop (RFC 9110 section 7.6.1).
const HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// Takes away what concerns one hop only.
pub fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// The request at the target. What proves the user to us is not passed on.
pub fn request<B>(
    connect: &Connect,
    parts: &Parts,
    upgrade: Option<&HeaderValue>,
    body: B,
) -> Result<Request<B>, http::Error> {
    let mut headers = parts.headers.clone();
    strip_hop(&mut headers);
    let private: Vec<HeaderName> = headers.keys().filter(|n| n.as_str().starts_with("impersonate-")).cloned().collect();
    for name in private.iter().chain(&[AUTHORIZATION, HOST, EXPECT]) {
        headers.remove(name);
    }
    let protocols: Vec<HeaderValue> =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(without_token).collect();
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    for value in protocols {
        headers.append(SEC_WEBSOCKET_PROTOCOL, value);
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }
    let target = &connect.target;
    let standard = match target.scheme {
        Scheme::Http => 80,
        Scheme::Https | Scheme::Kubelet => 443,
    };
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let host = if target.port == standard { host } else { format!("{host}:{}", target.port) };
    let mut path = if connect.path.is_empty() { "/".to_owned() } else { connect.path.clone() };
    if !connect.query.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&connect.query).finish();
        path = format!("{path}?{query}");
    }
    let method = if connect.kind == ConnectKind::Proxy { parts.method.clone() } else { Method::GET };
    let mut request = Request::builder().method(method).uri(path).header(HOST, host).body(body)?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// The offered subprotocols without the one that is a token.
fn without_token(value: &HeaderValue) -> Option<HeaderValue> {
    let offered = value.to_str().ok()?.split(',').map(str::trim);
    let kept: Vec<&str> = offered.filter(|p| !p.starts_with("base64url.bearer.authorization.k8s.io.")).collect();
    if kept.is_empty() { None } else { HeaderValue::try_from(kept.join(", ")).ok() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use emberyard_cluster::{Target, User};

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut builder = Request::builder().method("PUT").uri("https://x/y");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    fn connect(kind: ConnectKind) -> Connect {
        Connect {
            user: User::anonymous(),
            kind,
            target: Target { scheme: Scheme::Kubelet, host: "10.41.0.11".to_owned(), port: 10250, node: None },
            method: emberyard_cluster::Method::Put,
            path: "/exec/a/b/c".to_owned(),
            query: vec![("command".to_owned(), "ls -l&".to_owned())],
            prefix: String::new(),
        }
    }

    #[test]
    fn says_nothing_about_who_asks() {
        let parts = parts(&[
            ("authorization", "Bearer secret"),
            ("impersonate-user", "x"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("cookie", "kept=1"),
            ("sec-websocket-protocol", "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.abc"),
        ]);
        let made =
            request(&connect(ConnectKind::Exec), &parts, Some(&HeaderValue::from_static("websocket")), ()).unwrap();
        assert_eq!(made.uri(), "/exec/a/b/c?command=ls+-l%26");
        assert_eq!(made.method(), Method::GET);
        let names: std::collections::BTreeSet<&str> = made.headers().keys().map(HeaderName::as_str).collect();
        let expected = ["connection", "cookie", "host", "sec-websocket-protocol", "upgrade"];
        assert_eq!(names, expected.into_iter().collect());
        assert_eq!(made.headers()[SEC_WEBSOCKET_PROTOCOL], "v5.channel.k8s.io");
        assert_eq!(made.headers()[HOST], "10.41.0.11:10250");
    }

    #[test]
    fn a_proxy_keeps_the_method() {
        let made = request(&connect(ConnectKind::Proxy), &parts(&[]), None, ()).unwrap();
        assert_eq!(made.method(), Method::PUT);
    }
}
