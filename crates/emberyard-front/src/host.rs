//! Which host names a browser may call this gateway by.
//!
//! A page elsewhere can let its own name point to 127.0.0.1 and then read answers as its own (DNS rebinding). Names
//! that are not ours are refused before anything else is looked at.

use std::net::IpAddr;

/// Whether a Host header names this gateway. Without a header (HTTP/1.0) nothing is let in.
pub fn is_ours(host: Option<&str>, ours: &[String]) -> bool {
    let Some(name) = host.map(without_port) else { return false };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let loopback = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback
        || name == "localhost"
        || name.ends_with(".localhost")
        || ours.iter().any(|own| own.eq_ignore_ascii_case(&name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_table() {
        let ours = ["gate.example".to_owned()];
        let table = [
            (Some("127.0.0.1:8321"), true),
            (Some("localhost:8321"), true),
            (Some("LOCALHOST"), true),
            (Some("a.localhost:1"), true),
            (Some("[::1]:8321"), true),
            (Some("127.9.9.9"), true),
            (Some("Gate.example:443"), true),
            (Some("evil.example"), false),
            (Some("localhost.evil.example"), false),
            (Some("127.0.0.1.evil.example"), false),
            (Some("192.0.2.1:8321"), false),
            (Some(""), false),
            (None, false),
        ];
        for (host, wanted) in table {
            assert_eq!(is_ours(host, &ours), wanted, "{host:?}");
        }
    }
}
