//! The small files each pod gets: hosts, resolv.conf, a line in passwd.

use crate::facts::Facts;
use crate::spec::Pod;
use std::fmt::Write as _;

/// `/etc/hosts`: loopback, the pod's own names, the aliases asked for.
pub fn hosts(pod: &Pod, facts: &Facts) -> String {
    let mut text = String::from("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let hostname = pod.hostname();
    if let Some(ip) = facts.pod_ip {
        let _ = match full_name(pod, facts) {
            Some(full) => writeln!(text, "{ip}\t{full}\t{hostname}"),
            None => writeln!(text, "{ip}\t{hostname}"),
        };
    }
    for alias in &pod.spec.host_aliases {
        let _ = writeln!(text, "{}\t{}", alias.ip, alias.hostnames.join("\t"));
    }
    text
}

/// The pod's fully qualified name, if it has a subdomain.
pub fn full_name(pod: &Pod, facts: &Facts) -> Option<String> {
    let (sub, domain) = (&pod.spec.subdomain, &facts.domain);
    (!sub.is_empty()).then(|| format!("{}.{sub}.{}.svc.{domain}", pod.hostname(), pod.metadata.namespace))
}

/// What `hostname` prints inside the pod; on the node's network it is the node's name.
pub fn hostname(pod: &Pod, facts: &Facts) -> String {
    if pod.spec.host_network {
        return facts.node_name.clone();
    }
    let full = if pod.spec.set_hostname_as_fqdn { full_name(pod, facts) } else { None };
    full.unwrap_or_else(|| pod.hostname())
}

/// `/etc/resolv.conf` by `dnsPolicy` and `dnsConfig`. The machine's own resolver is never used directly: `Default`
/// means the cluster's DNS without its search domains, which forwards outside names.
pub fn resolv_conf(pod: &Pod, facts: &Facts) -> String {
    let (mut servers, mut searches, mut options) = (Vec::new(), Vec::new(), Vec::new());
    let policy = pod.spec.dns_policy.as_str();
    if policy != "None" {
        servers.extend(facts.dns.map(|ip| ip.to_string()));
    }
    let cluster = match policy {
        "None" | "Default" => false,
        // As a kubelet: hostNetwork pods get cluster names only if they say so.
        "ClusterFirst" | "" => !pod.spec.host_network,
        _ => true,
    };
    if cluster {
        let (namespace, domain) = (&pod.metadata.namespace, &facts.domain);
        searches.extend([format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.clone()]);
        options.push(("ndots".to_owned(), Some("5".to_owned())));
    }
    let config = &pod.spec.dns_config;
    servers.extend(config.nameservers.iter().cloned());
    for search in &config.searches {
        if !searches.contains(search) {
            searches.push(search.clone());
        }
    }
    for option in &config.options {
        options.retain(|(name, _)| *name != option.name);
        options.push((option.name.clone(), option.value.clone()));
    }
    let mut text = String::new();
    for server in servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    if !searches.is_empty() {
        let _ = writeln!(text, "search {}", searches.join(" "));
    }
    let written: Vec<String> =
        options.into_iter().map(|(name, value)| value.map_or(name.clone(), |v| format!("{name}:{v}"))).collect();
    if !written.is_empty() {
        let _ = writeln!(text, "options {}", written.join(" "));
    }
    text
}

/// The image's passwd with a line for `uid`, if it has none: programs such as the JVM ask for the user's name.
pub fn passwd(of_image: &str, uid: u32, gid: u32, home: &str) -> String {
    let known = |line: &str| line.split(':').nth(2).and_then(|f| f.parse::<u32>().ok()) == Some(uid);
    let mut text = of_image.to_owned();
    if !of_image.lines().any(known) {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let name = if uid == 0 { "root".to_owned() } else { format!("user{uid}") };
        let _ = writeln!(text, "{name}:x:{uid}:{gid}::{home}:/bin/sh");
    }
    text
}
