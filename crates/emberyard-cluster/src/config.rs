//! What one API server is told once, at its start.

use std::net::{IpAddr, Ipv4Addr};

/// What `/version` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// For example `1`.
    pub major: String,
    /// For example `35`.
    pub minor: String,
    /// For example `v1.35.4+emberyard`.
    pub git_version: String,
    /// For example `linux/amd64`.
    pub platform: String,
}

/// Everything fixed for the life of one API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What `/version` answers.
    pub version: VersionInfo,
    /// First address of the service range; the range is a /16.
    pub service_network: Ipv4Addr,
    /// ClusterIP of the service `kube-dns`.
    pub dns_service_ip: Ipv4Addr,
    /// Where the service `kubernetes` leads: the API server's own address and port on the node network.
    pub advertise: (IpAddr, u16),
    /// Issuer and default audience of service-account tokens.
    pub token_issuer: String,
    /// Watch history kept for each kind before compaction may drop events, in bytes of encoded objects (in memory it
    /// weighs several times that; what watchers of the last ten minutes may need is kept beyond it).
    pub history_bytes: usize,
    /// Watch history never exceeds this for one kind, whoever still needs it, in bytes.
    pub history_hard_bytes: usize,
    /// Longest accepted request body in bytes; longer ones are answered 413.
    pub body_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VersionInfo {
                major: "1".to_owned(),
                minor: "35".to_owned(),
                git_version: "v1.35.4+emberyard".to_owned(),
                platform: "linux/amd64".to_owned(),
            },
            service_network: Ipv4Addr::new(10, 96, 0, 0),
            dns_service_ip: Ipv4Addr::new(10, 96, 0, 10),
            advertise: (IpAddr::V4(Ipv4Addr::new(10, 41, 0, 1)), 6443),
            token_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            history_bytes: 2 << 20,
            history_hard_bytes: 32 << 20,
            body_limit: 3 << 20,
        }
    }
}
