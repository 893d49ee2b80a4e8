//! `pods|services|nodes/[SCHEME:]NAME[:PORT]/proxy/PATH`: any request to a port behind the API server.

use crate::Method;
use crate::call::{Call, Done, Place};
use crate::failure::{Failure, Outcome};
use crate::reply::{Connect, ConnectKind, Scheme, Target};
use bytes::Bytes;
use emberyard_object::view::{PodView, list, text};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The name part of a proxied path.
struct Named<'a> {
    scheme: Scheme,
    name: &'a str,
    port: &'a str,
}

fn named(at: &Place) -> Outcome<Named<'_>> {
    let parts: Vec<&str> = at.name().split(':').collect();
    let (scheme, name, port) = match parts.as_slice() {
        [name] => ("", *name, ""),
        [name, port] => ("", *name, *port),
        [scheme, name, port] => (*scheme, *name, *port),
        _ => return Err(Failure::bad_request(format!("invalid {} request \"{}\"", at.gvr().resource, at.name()))),
    };
    let scheme = match scheme {
        "" | "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => return Err(Failure::bad_request(format!("scheme \"{other}\" is not http or https"))),
    };
    Ok(Named { scheme, name, port })
}

impl Call<'_> {
    pub(super) fn proxy(&mut self, at: &Place) -> Outcome<Done> {
        let wanted = named(at)?;
        let target = match &*at.resource {
            "pods" => self.pod_target(at, &wanted)?,
            "services" => self.service_target(at, &wanted)?,
            _ => self.node_target(&wanted)?,
        };
        // A page at the root needs a path that ends with a slash, or its relative links lead astray.
        if at.path.rest.is_empty() && self.request.method == Method::Get {
            self.headers.push(("location", format!("{}/", at.path.prefix)));
            return Ok(Done::Body(301, Bytes::new(), "text/plain"));
        }
        Ok(Done::Connect(Box::new(Connect {
            user: self.user.clone(),
            kind: ConnectKind::Proxy,
            target,
            method: self.request.method,
            path: if at.path.rest.is_empty() { "/".to_owned() } else { at.path.rest.clone() },
            query: self.request.query.clone(),
            prefix: at.path.prefix.clone(),
        })))
    }

    fn pod_target(&self, at: &Place, wanted: &Named<'_>) -> Outcome<Target> {
        let pod = self.server.store.get("pods", at.namespace(), wanted.name);
        let pod = pod.ok_or_else(|| Failure::not_found(at.gvr(), wanted.name))?;
        let view = PodView(&pod.value);
        let ports = view.containers().iter().flat_map(|container| list(container, &["ports"]));
        let port = port_number(wanted.port, ports, "containerPort")?.unwrap_or(80);
        if view.ip().is_empty() {
            return Err(Failure::unavailable(format!("pod \"{}\" has no IP address yet", wanted.name)));
        }
        target(wanted.scheme, view.ip(), port)
    }

    fn service_target(&mut self, at: &Place, wanted: &Named<'_>) -> Outcome<Target> {
        let service = self.server.store.get("services", at.namespace(), wanted.name);
        let service = service.ok_or_else(|| Failure::not_found(at.gvr(), wanted.name))?;
        let ports = list(&service.value, &["spec", "ports"]);
        let chosen = match wanted.port {
            "" => ports.first(),
            port => ports.iter().find(|p| text(p, &["name"]) == port || p["port"].as_u64() == port.parse().ok()),
        };
        let unavailable =
            |what: &str| Failure::unavailable(format!("no {what} available for service \"{}\"", wanted.name));
        let port_name = text(chosen.ok_or_else(|| unavailable("such port is"))?, &["name"]);
        let mut choices = Vec::new();
        for slice in self.server.store.list("endpointslices.discovery.k8s.io", Some(at.namespace())) {
            if slice.meta().label("kubernetes.io/service-name") != Some(wanted.name) {
                continue;
            }
            let port = list(&slice.value, &["ports"]).iter().find(|p| text(p, &["name"]) == port_name);
            let port = port.and_then(|p| p["port"].as_u64()).and_then(|p| u16::try_from(p).ok());
            let ready = |e: &&Value| e["conditions"]["ready"].as_bool().unwrap_or(true);
            let addresses = list(&slice.value, &["endpoints"]).iter().filter(ready);
            let addresses = addresses.filter_map(|e| list(e, &["addresses"]).first().and_then(Value::as_str));
            choices.extend(port.into_iter().flat_map(|port| addresses.clone().map(move |ip| (ip.to_owned(), port))));
        }
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        let index = usize::from(byte[0]) % choices.len().max(1);
        let (ip, port) = choices.get(index).ok_or_else(|| unavailable("endpoints"))?;
        target(wanted.scheme, ip, *port)
    }

    fn node_target(&self, wanted: &Named<'_>) -> Outcome<Target> {
        let kubelet = self.kubelet(wanted.name)?;
        Ok(match port_number(wanted.port, [].iter(), "")? {
            Some(port) if port != kubelet.port => {
                Target { node: kubelet.node, ..target(wanted.scheme, &kubelet.host, port)? }
            }
            _ => kubelet,
        })
    }
}

/// The port a name or number means among `ports`; the first of them where nothing is said.
fn port_number<'a>(wanted: &str, mut ports: impl Iterator<Item = &'a Value>, key: &str) -> Outcome<Option<u16>> {
    let number = |value: &Value| value[key].as_u64().and_then(|port| u16::try_from(port).ok());
    if wanted.is_empty() {
        return Ok(ports.next().and_then(number));
    }
    let named = || ports.find(|port| port["name"] == json!(wanted)).and_then(number);
    let port = wanted.parse().ok().or_else(named);
    port.map(Some).ok_or_else(|| Failure::bad_request(format!("port \"{wanted}\" is unknown")))
}

/// A target that is not this machine itself.
fn target(scheme: Scheme, host: &str, port: u16) -> Outcome<Target> {
    let inward = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => false,
    };
    if inward {
        return Err(Failure::bad_request("address not allowed"));
    }
    Ok(Target { scheme, host: host.to_owned(), port, node: None })
}
