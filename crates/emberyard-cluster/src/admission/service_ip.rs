//! Addresses and node ports of services: which are taken is read off the services themselves.

use crate::call::{Call, Place};
use crate::failure::{Failure, Outcome};
use emberyard_object::schema::Cause;
use emberyard_object::view::{list, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Chosen addresses begin here; those below are left for services that name theirs (upstream's lower band).
const FIRST_CHOSEN: u32 = 256;
/// Addresses of a /16, its network and broadcast addresses aside.
const LAST: u32 = 65_534;
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

fn taken(call: &Call<'_>) -> BTreeSet<Ipv4Addr> {
    let services = call.server.store.list("services", None);
    services.filter_map(|service| text(&service.value, &["spec", "clusterIP"]).parse().ok()).collect()
}

/// A free address, chosen at random so that one that was just given up is not met again at once.
pub(super) fn allocate(call: &mut Call<'_>) -> Outcome<String> {
    let mut bytes = [0; 4];
    call.entropy.fill(&mut bytes);
    let network = u32::from(call.server.config.service_network);
    let span = LAST - FIRST_CHOSEN + 1;
    let start = u32::from_le_bytes(bytes) % span;
    let taken = taken(call);
    (0..span)
        .map(|step| Ipv4Addr::from(network + FIRST_CHOSEN + (start + step) % span))
        .find(|address| !taken.contains(address))
        .map(|address| address.to_string())
        .ok_or_else(|| Failure::internal("failed to allocate a serviceIP: range is full"))
}

/// Why an address that is asked for cannot be had.
pub(super) fn unusable(call: &Call<'_>, place: &Place, address: &str) -> Option<Cause> {
    if matches!(address, "" | "None") {
        return None;
    }
    let network = u32::from(call.server.config.service_network);
    let why = match address.parse::<Ipv4Addr>() {
        Err(_) => "must be a valid IP address".to_owned(),
        Ok(wanted) if !(network + 1..=network + LAST).contains(&u32::from(wanted)) => {
            format!("failed to allocate IP {address}: the provided network does not match the current range")
        }
        Ok(wanted) => {
            let mut others = call.server.store.list("services", None);
            let other = others.find(|service| {
                text(&service.value, &["spec", "clusterIP"]) == wanted.to_string()
                    && (&*service.key.namespace, &*service.key.name) != (place.namespace(), place.name())
            });
            other?;
            format!("failed to allocate IP {address}: provided IP is already allocated")
        }
    };
    let field = "spec.clusterIPs".to_owned();
    Some(Cause { reason: "FieldValueInvalid", field, message: format!("Invalid value: {}: {why}", json!([address])) })
}

/// Gives node ports to services that are open to the outside, takes them from those that are not.
pub(super) fn node_ports(call: &mut Call<'_>, place: &Place, old: Option<&Value>, object: &mut Value) {
    let outward = matches!(text(object, &["spec", "type"]), "NodePort" | "LoadBalancer");
    let mut used: BTreeSet<u64> = BTreeSet::new();
    for service in call.server.store.list("services", None) {
        if (&*service.key.namespace, &*service.key.name) != (place.namespace(), place.name()) {
            used.extend(list(&service.value, &["spec", "ports"]).iter().filter_map(|port| port["nodePort"].as_u64()));
        }
    }
    let before: Vec<Value> = old.map_or(Vec::new(), |old| list(old, &["spec", "ports"]).to_vec());
    for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let asked = port["nodePort"].as_u64().filter(|number| *number > 0);
        let Some(fields) = port.as_object_mut() else { continue };
        if !outward {
            fields.remove("nodePort");
            continue;
        }
        let kept = before.iter().find(|b| b["port"] == fields["port"]).and_then(|b| b["nodePort"].as_u64());
        let free = || NODE_PORTS.map(u64::from).find(|number| !used.contains(number));
        if let Some(number) = asked.or(kept).or_else(free) {
            used.insert(number);
            fields.insert("nodePort".to_owned(), json!(number));
        }
    }
}
