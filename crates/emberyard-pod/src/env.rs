//! A container's environment.

use crate::error::PodError;
use crate::expand::expand;
use crate::facts::{Facts, ServiceFact, Sources};
use crate::fields;
use crate::spec::{Container, EnvSource, Pod};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the ConfigMaps and Secrets that a container's environment refers to.
pub fn references(container: &Container) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut maps, mut secrets) = (BTreeSet::new(), BTreeSet::new());
    for from in &container.env_from {
        maps.extend(from.config_map_ref.as_ref().map(|r| r.name.clone()));
        secrets.extend(from.secret_ref.as_ref().map(|r| r.name.clone()));
    }
    for source in container.env.iter().filter_map(|e| e.value_from.as_ref()) {
        maps.extend(source.config_map_key_ref.as_ref().map(|r| r.name.clone()));
        secrets.extend(source.secret_key_ref.as_ref().map(|r| r.name.clone()));
    }
    (maps, secrets)
}

/// The environment: service links, then `envFrom`, then `env`; later ones win. Variables of the image are not here.
///
/// # Errors
/// [`PodError::Missing`] or [`PodError::MissingKey`] when something that is not optional is not there.
pub fn build(
    pod: &Pod,
    container: &Container,
    facts: &Facts,
    sources: &Sources,
) -> Result<BTreeMap<String, String>, PodError> {
    let links = links(pod, facts);
    let mut env = BTreeMap::new();
    for from in &container.env_from {
        for (kind, found, wanted) in [
            ("configmap", from.config_map_ref.as_ref().and_then(|r| sources.config_map(&r.name)), &from.config_map_ref),
            ("secret", from.secret_ref.as_ref().and_then(|r| sources.secret(&r.name)), &from.secret_ref),
        ] {
            let Some(wanted) = wanted else { continue };
            match found {
                Some(entries) => env.extend(entries.into_iter().filter_map(|(key, value)| {
                    let name = format!("{}{key}", from.prefix);
                    Some((name, String::from_utf8(value).ok()?))
                })),
                None if wanted.optional => {}
                None => return Err(PodError::Missing { kind, name: wanted.name.clone() }),
            }
        }
    }
    for variable in &container.env {
        let value = match (&variable.value, &variable.value_from) {
            (_, Some(source)) => from_source(pod, container, facts, sources, source)?,
            (Some(text), None) => {
                // Service links can be referred to, but are overridden by what is set.
                let mut known = links.clone();
                known.extend(env.clone());
                Some(expand(text, &known))
            }
            (None, None) => Some(String::new()),
        };
        if let Some(value) = value {
            env.insert(variable.name.clone(), value);
        }
    }
    let mut all = links;
    all.extend(env);
    Ok(all)
}

fn from_source(
    pod: &Pod,
    container: &Container,
    facts: &Facts,
    sources: &Sources,
    source: &EnvSource,
) -> Result<Option<String>, PodError> {
    if let Some(wanted) = &source.field_ref {
        return fields::field(pod, facts, &wanted.field_path).map(Some);
    }
    if let Some(wanted) = &source.resource_field_ref {
        return fields::resource(pod, Some(container), facts, wanted).map(Some);
    }
    for (word, kind, wanted, secret) in [
        ("configmap", "ConfigMap", &source.config_map_key_ref, false),
        ("secret", "Secret", &source.secret_key_ref, true),
    ] {
        let Some(wanted) = wanted else { continue };
        let found = if secret { sources.secret(&wanted.name) } else { sources.config_map(&wanted.name) };
        return match found {
            None if wanted.optional => Ok(None),
            None => Err(PodError::Missing { kind: word, name: wanted.name.clone() }),
            Some(mut entries) => match entries.remove(&wanted.key) {
                Some(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
                None if wanted.optional => Ok(None),
                None => Err(PodError::MissingKey { kind, name: wanted.name.clone(), key: wanted.key.clone() }),
            },
        };
    }
    Ok(None)
}

/// Variables for the API server and, if wanted, for each service of the pod's namespace.
fn links(pod: &Pod, facts: &Facts) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    if pod.spec.enable_service_links.unwrap_or(true) {
        for service in facts.services.iter().filter(|s| s.namespace == pod.metadata.namespace) {
            link(service, &mut env);
        }
    }
    if let Some((address, port)) = facts.api {
        let api = ServiceFact {
            name: "kubernetes".into(),
            namespace: "default".into(),
            address,
            ports: vec![("https".into(), port, "TCP".into())],
        };
        link(&api, &mut env);
    }
    env
}

fn link(service: &ServiceFact, env: &mut BTreeMap<String, String>) {
    let word = |text: &str| text.to_ascii_uppercase().replace(['-', '.'], "_");
    let (name, address) = (word(&service.name), service.address);
    for (i, (port_name, port, protocol)) in service.ports.iter().enumerate() {
        let scheme = protocol.to_ascii_lowercase();
        if i == 0 {
            env.insert(format!("{name}_SERVICE_HOST"), address.to_string());
            env.insert(format!("{name}_SERVICE_PORT"), port.to_string());
            env.insert(format!("{name}_PORT"), format!("{scheme}://{address}:{port}"));
        }
        if !port_name.is_empty() {
            env.insert(format!("{name}_SERVICE_PORT_{}", word(port_name)), port.to_string());
        }
        let prefix = format!("{name}_PORT_{port}_{}", protocol.to_ascii_uppercase());
        env.insert(prefix.clone(), format!("{scheme}://{address}:{port}"));
        env.insert(format!("{prefix}_PROTO"), scheme);
        env.insert(format!("{prefix}_PORT"), port.to_string());
        env.insert(format!("{prefix}_ADDR"), address.to_string());
    }
}
