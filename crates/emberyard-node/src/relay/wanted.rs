//! What a request to the HTTP door asks for: pure.

use super::policy::{RelayPolicy, Verdict};
use crate::net::address::{MACHINE, MACHINE_NAME};
use http::uri::Scheme;
use http::{Method, StatusCode, Uri};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Where a request wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub host: Host,
    pub port: u16,
}

/// By name or by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(Ipv4Addr),
    Name(String),
}

/// Why it goes nowhere: what the client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No proxy's request: no host, or no port after CONNECT.
    Form,
    /// Another scheme than http: clients use CONNECT for those.
    Scheme,
    /// An IPv6 address: the yard speaks IPv4.
    Ipv6,
    /// The name is not known to the machine.
    Unknown,
    /// The policy's word.
    Forbidden,
    /// Nothing answers there.
    Unreachable,
}

impl Refusal {
    /// Status and text of the answer.
    pub fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Form => (StatusCode::BAD_REQUEST, "this is a proxy: ask for http://HOST/PATH or CONNECT HOST:PORT\n"),
            Self::Scheme => (StatusCode::NOT_IMPLEMENTED, "this proxy carries http; for anything else use CONNECT\n"),
            Self::Ipv6 => (StatusCode::NOT_IMPLEMENTED, "this proxy dials IPv4 addresses and names only\n"),
            Self::Unknown => (
                StatusCode::BAD_GATEWAY,
                "the machine does not know this name; services of the cluster are reached directly, as NAME.NAMESPACE.svc\n",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "pods may not go there through the proxy: addresses of the cluster are reached directly, the machine's \
                 own ports as machine.emberyard.internal after `emberyard up --allow-host PORT`\n",
            ),
            Self::Unreachable => (StatusCode::BAD_GATEWAY, "nothing answers there\n"),
        }
    }
}

/// Reads method and target of a request.
pub(super) fn wanted(method: &Method, uri: &Uri) -> Result<Wanted, Refusal> {
    let authority = uri.authority().ok_or(Refusal::Form)?;
    let port = match (method == Method::CONNECT, uri.scheme()) {
        (true, None) => authority.port_u16().ok_or(Refusal::Form)?,
        (false, Some(scheme)) if *scheme == Scheme::HTTP => authority.port_u16().unwrap_or(80),
        (false, Some(_)) => return Err(Refusal::Scheme),
        _ => return Err(Refusal::Form),
    };
    let host = authority.host().trim_end_matches('.');
    if host.is_empty() || port == 0 {
        return Err(Refusal::Form);
    }
    let host = match host.parse() {
        Ok(address) => Host::Address(address),
        Err(_) if host.starts_with('[') => return Err(Refusal::Ipv6),
        Err(_) if host.eq_ignore_ascii_case(MACHINE_NAME) => Host::Address(MACHINE),
        Err(_) => Host::Name(host.to_owned()),
    };
    Ok(Wanted { host, port })
}

/// Those of a host's addresses that may be dialled, as they are dialled.
pub(super) fn allowed(policy: &RelayPolicy, addresses: &[Ipv4Addr], port: u16) -> Result<Vec<SocketAddrV4>, Refusal> {
    let verdicts = addresses.iter().map(|address| policy.decide(SocketAddrV4::new(*address, port)));
    let dialled: Vec<_> = verdicts
        .filter_map(|verdict| match verdict {
            Verdict::Dial(address) => Some(address),
            Verdict::Refuse => None,
        })
        .collect();
    match (dialled.is_empty(), addresses.is_empty()) {
        (false, _) => Ok(dialled),
        (true, true) => Err(Refusal::Unknown),
        (true, false) => Err(Refusal::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn requests_name_their_target_or_are_refused() {
        let name = |name: &str, port| Ok(Wanted { host: Host::Name(name.to_owned()), port });
        let address = |text: &str, port| Ok(Wanted { host: Host::Address(text.parse().unwrap()), port });
        let table = [
            ("CONNECT", "pypi.org:443", name("pypi.org", 443)),
            ("CONNECT", "pypi.org.:443", name("pypi.org", 443)),
            ("CONNECT", "1.2.3.4:443", address("1.2.3.4", 443)),
            ("CONNECT", "Machine.Emberyard.Internal:5000", address("10.41.0.2", 5000)),
            ("CONNECT", "pypi.org", Err(Refusal::Form)),
            ("CONNECT", "pypi.org:0", Err(Refusal::Form)),
            ("CONNECT", "http://pypi.org:443/", Err(Refusal::Form)),
            ("CONNECT", "[::1]:443", Err(Refusal::Ipv6)),
            ("CONNECT", "/", Err(Refusal::Form)),
            ("GET", "http://deb.example/debian", name("deb.example", 80)),
            ("GET", "http://user:word@deb.example:8080/x?y", name("deb.example", 8080)),
            ("GET", "https://deb.example/", Err(Refusal::Scheme)),
            ("GET", "ftp://deb.example/", Err(Refusal::Scheme)),
            ("GET", "/metrics", Err(Refusal::Form)),
            ("OPTIONS", "*", Err(Refusal::Form)),
            // A number that some resolvers take for an address goes to the resolver, and what it says to the policy.
            ("GET", "http://2130706433/", name("2130706433", 80)),
        ];
        for (method, uri, expected) in table {
            assert_eq!(wanted(&method.parse().unwrap(), &uri.parse().unwrap()), expected, "{method} {uri}");
        }
    }

    #[test]
    fn a_name_gives_no_more_rights_than_its_address() {
        let policy = RelayPolicy::new(BTreeSet::from([5000]));
        let ask = |addresses: &[[u8; 4]], port| {
            let addresses: Vec<Ipv4Addr> = addresses.iter().map(|octets| Ipv4Addr::from(*octets)).collect();
            allowed(&policy, &addresses, port).map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(ask(&[[93, 184, 216, 34]], 443), Ok(vec!["93.184.216.34:443".to_owned()]));
        assert_eq!(ask(&[[10, 41, 0, 2]], 5000), Ok(vec!["127.0.0.1:5000".to_owned()]));
        assert_eq!(ask(&[[10, 41, 0, 2]], 22), Err(Refusal::Forbidden));
        assert_eq!(ask(&[[127, 0, 0, 1]], 5000), Err(Refusal::Forbidden));
        assert_eq!(ask(&[[169, 254, 169, 254], [10, 96, 0, 1]], 80), Err(Refusal::Forbidden));
        assert_eq!(ask(&[[127, 0, 0, 1], [1, 1, 1, 1]], 80), Ok(vec!["1.1.1.1:80".to_owned()]));
        assert_eq!(ask(&[], 80), Err(Refusal::Unknown));
    }
}
