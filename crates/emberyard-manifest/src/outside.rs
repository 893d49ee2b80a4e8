//! The ways to the outside: the user's package index and authorities, in the notebook's pod as on the user's machine.

use crate::labels::owned;
use crate::validate::Session;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Where the certificates are mounted.
const FOLDER: &str = "/etc/emberyard/outside";
const CERTIFICATES: &str = "ca.crt";
/// By these names OpenSSL, requests, pip and boto3 look for a file of certificates.
const READERS: [&str; 4] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "AWS_CA_BUNDLE"];

/// A secret, since the address of an index may hold a password.
pub(crate) fn secret(session: &Session) -> Option<Value> {
    let outside = &session.outside;
    let texts = outside.environment.iter().map(|(name, value)| (name.as_str(), value));
    let texts = texts.chain(outside.certificates.iter().map(|text| (CERTIFICATES, text)));
    let data: Map<String, Value> =
        texts.map(|(name, text)| (name.to_owned(), Value::from(STANDARD.encode(text)))).collect();
    (!data.is_empty()).then(|| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": owned(session, &session.names().outside()),
            "data": data,
        })
    })
}

/// The pod's part of it: variables, mounts and volumes.
pub(crate) fn add(session: &Session, env: &mut Vec<Value>, mounts: &mut Vec<Value>, volumes: &mut Vec<Value>) {
    let secret = session.names().outside();
    env.extend(
        session
            .outside
            .environment
            .keys()
            .map(|name| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}})),
    );
    if session.outside.certificates.is_some() {
        let file = format!("{FOLDER}/{CERTIFICATES}");
        env.extend(READERS.map(|name| json!({"name": name, "value": file})));
        mounts.push(json!({"name": "outside", "mountPath": FOLDER, "readOnly": true}));
        let items = json!([{"key": CERTIFICATES, "path": CERTIFICATES}]);
        volumes.push(json!({"name": "outside", "secret": {"secretName": secret, "items": items}}));
    }
}
