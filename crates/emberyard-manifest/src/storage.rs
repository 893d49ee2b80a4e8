//! What stays: the home volume; and the secret with the token.

use crate::labels::{kept, owned};
use crate::validate::Session;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emberyard_model::Quantity;
use emberyard_model::notebook::TOKEN_KEY;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The home volume. No owner: a notebook of the same name finds its home again, and nobody loses work by a `delete`.
pub(crate) fn home(session: &Session) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": kept(session, &session.names().home()),
        "spec": claim(session.home_size, session.storage_class.as_deref()),
    })
}

/// What a claim asks for: so many bytes for one node, of a class or of the cluster's default.
pub(crate) fn claim(size: Quantity, class: Option<&str>) -> Value {
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size.to_string()}}});
    if let Some(class) = class {
        spec["storageClassName"] = json!(class);
    }
    spec
}

/// The secret with a fresh token made of the given random bytes. Made once and never changed: links keep working.
pub fn token_secret(session: &Session, random: &[u8; 24]) -> Value {
    let token = random.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
        text
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": owned(session, &session.token_secret),
        "data": {TOKEN_KEY: STANDARD.encode(token)},
    })
}
