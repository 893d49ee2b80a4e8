//! The token of the overview: a secret of the cluster, made once and never changed, so that links keep working.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emberyard_client::{ApiError, Client, path};
use emberyard_model::notebook::TOKEN_KEY;
use serde_json::json;
use std::fmt::Write as _;

/// Namespace of the secret.
pub const TOKEN_NAMESPACE: &str = "kube-system";
/// Name of the secret.
pub const TOKEN_NAME: &str = "emberyard-overview";

/// The token; made of `random` where there is none yet.
pub async fn ensure(client: &Client, random: &[u8; 24]) -> Result<String, ApiError> {
    let collection = path("", "v1", TOKEN_NAMESPACE, "secrets", "");
    let at = format!("{collection}/{TOKEN_NAME}");
    loop {
        if let Some(secret) = client.find(&at).await? {
            let encoded = secret["data"][TOKEN_KEY].as_str().unwrap_or_default();
            let token = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            return Ok(token.unwrap_or_default());
        }
        let token = random.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a String can't fail
            text
        });
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": TOKEN_NAME, "namespace": TOKEN_NAMESPACE},
            "data": {TOKEN_KEY: STANDARD.encode(&token)},
        });
        match client.create(&collection, &secret).await {
            Ok(_) => return Ok(token),
            Err(error) if error.is_already_exists() => {} // another gateway was first: its token counts
            Err(error) => return Err(error),
        }
    }
}
