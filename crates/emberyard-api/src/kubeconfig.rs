//! Kubeconfig files: server, authority and client certificate in one text.

use crate::pki::{Credentials, files};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io;
use std::path::Path;

/// A kubeconfig's text (YAML) with everything embedded, so that it can be copied alone. `name` is used for cluster,
/// user and context; `server` is the whole URL, for example `https://127.0.0.1:6443`.
pub fn render(name: &str, server: &str, authority: &str, client: &Credentials) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority),
        }}],
        "users": [{"name": name, "user": {
            "client-certificate-data": STANDARD.encode(&client.certificate),
            "client-key-data": STANDARD.encode(&client.key),
        }}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    });
    // Values made of strings and lists always have a YAML form; JSON is YAML too.
    serde_yaml_ng::to_string(&config).unwrap_or_else(|_| config.to_string())
}

/// Writes a kubeconfig for its owner only (0600), whole or not at all.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    files::write_private(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_complete() -> Result<(), Box<dyn std::error::Error>> {
        let client = Credentials { certificate: "CERT".to_owned(), key: "KEY".to_owned() };
        let text = render("yard", "https://127.0.0.1:1", "CA", &client);
        let read: serde_json::Value = serde_yaml_ng::from_str(&text)?;
        assert_eq!(read["clusters"][0]["cluster"]["certificate-authority-data"], "Q0E=");
        assert_eq!(read["users"][0]["user"]["client-key-data"], "S0VZ");
        assert_eq!(read["contexts"][0]["context"]["cluster"], read["clusters"][0]["name"]);
        assert_eq!(read["current-context"], "yard");
        Ok(())
    }
}
