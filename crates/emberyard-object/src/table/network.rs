//! Cells of services and endpoints.

use super::cell::{joined, or_none};
use crate::view::{list, text};
use serde_json::Value;

/// The EXTERNAL-IP column of services.
pub fn external_ip(service: &Value) -> String {
    let own = || list(service, &["spec", "externalIPs"]).iter().filter_map(|ip| ip.as_str().map(str::to_owned));
    match text(service, &["spec", "type"]) {
        "ExternalName" => text(service, &["spec", "externalName"]).to_owned(),
        "LoadBalancer" => {
            let given = list(service, &["status", "loadBalancer", "ingress"]).iter().map(|ingress| {
                match text(ingress, &["ip"]) {
                    "" => text(ingress, &["hostname"]).to_owned(),
                    ip => ip.to_owned(),
                }
            });
            match joined(given.chain(own())).as_str() {
                "<none>" => "<pending>".to_owned(),
                ips => ips.to_owned(),
            }
        }
        _ => joined(own()),
    }
}

/// The PORT(S) column of services: `80/TCP`, `80:30080/TCP`.
pub fn service_ports(service: &Value) -> String {
    joined(list(service, &["spec", "ports"]).iter().map(|port| {
        let node = port["nodePort"].as_i64().filter(|node| *node != 0).map_or(String::new(), |node| format!(":{node}"));
        format!("{}{node}/{}", port["port"], text(port, &["protocol"]))
    }))
}

/// At most three, then how many more.
fn first_three(all: &[String]) -> String {
    let shown = or_none(&all.iter().take(3).cloned().collect::<Vec<_>>().join(","));
    if all.len() > 3 { format!("{shown} + {} more...", all.len() - 3) } else { shown }
}

/// The ENDPOINTS column of endpoints: `10.0.0.1:80,10.0.0.2:80`.
pub fn endpoints(endpoints: &Value) -> String {
    let mut all = Vec::new();
    for subset in list(endpoints, &["subsets"]) {
        let ips = || list(subset, &["addresses"]).iter().map(|address| text(address, &["ip"]));
        let ports = list(subset, &["ports"]);
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports {
            all.extend(ips().map(|ip| format!("{ip}:{}", port["port"])));
        }
    }
    first_three(&all)
}

/// The PORTS column of endpoint slices.
pub fn slice_ports(slice: &Value) -> String {
    let all: Vec<String> = list(slice, &["ports"])
        .iter()
        .map(|port| match port.get("port").and_then(Value::as_i64) {
            Some(number) => number.to_string(),
            None if text(port, &["name"]).is_empty() => "*".to_owned(),
            None => text(port, &["name"]).to_owned(),
        })
        .collect();
    if all.is_empty() { "<unset>".to_owned() } else { first_three(&all) }
}

/// The ENDPOINTS column of endpoint slices.
pub fn slice_addresses(slice: &Value) -> String {
    let all: Vec<String> = list(slice, &["endpoints"])
        .iter()
        .flat_map(|endpoint| list(endpoint, &["addresses"]))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    if all.is_empty() { "<unset>".to_owned() } else { first_three(&all) }
}
