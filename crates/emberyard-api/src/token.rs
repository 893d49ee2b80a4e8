//! Service-account tokens: JSON Web Tokens signed with ES256 (RFC 7515, 7518), the one algorithm accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emberyard_model::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::time::Duration;

/// Who issues the tokens (`iss`), and the default audience.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(10);

/// Why a token is no good. The texts name no part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three base64url parts with JSON inside.
    #[error("the bearer token is not a JSON Web Token")]
    Malformed,
    /// Another algorithm or key, or the signature does not match.
    #[error("the bearer token was not signed by this cluster")]
    Signature,
    /// Issued by someone else.
    #[error("the bearer token has another issuer")]
    Issuer,
    /// `exp` has passed.
    #[error("the bearer token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the bearer token is not valid yet")]
    NotYet,
    /// The key can't sign or be read.
    #[error("the service-account key can't be used")]
    Key,
}

/// Signs and checks tokens with the yard's service-account key.
pub struct TokenKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    id: String,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TokenKey {
    /// From a PKCS#8 PEM text with a P-256 key.
    pub fn from_pem(pem: &str) -> Result<Self, TokenError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| TokenError::Key)?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &random)
            .map_err(|_| TokenError::Key)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, pair.public_key().as_ref());
        let id = URL_SAFE_NO_PAD.encode(digest.as_ref());
        Ok(Self { pair, random, id })
    }

    /// The signed token, without a newline at its end.
    pub fn sign(&self, claims: &Value) -> Result<String, TokenError> {
        let header = json!({"alg": "ES256", "kid": self.id, "typ": "JWT"});
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&self.random, token.as_bytes()).map_err(|_| TokenError::Key)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }

    /// The claims of a token signed by this key, of our issuer, and in its time. Audience and the objects it is bound
    /// to are the API server's to judge.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Value, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header = decode(header)?;
        if header["alg"] != "ES256" || header["kid"].as_str().is_some_and(|kid| kid != self.id) {
            return Err(TokenError::Signature);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let claims = decode(claims)?;
        if claims["iss"] != ISSUER {
            return Err(TokenError::Issuer);
        }
        let expires = claims["exp"].as_i64().ok_or(TokenError::Malformed)?;
        if Timestamp::from_seconds(expires).plus(LEEWAY) <= now {
            return Err(TokenError::Expired);
        }
        if claims["nbf"].as_i64().is_some_and(|begin| now.plus(LEEWAY) < Timestamp::from_seconds(begin)) {
            return Err(TokenError::NotYet);
        }
        Ok(claims)
    }

    /// The public key as a JSON Web Key Set (`/openid/v1/jwks`, RFC 7517).
    pub fn key_set(&self) -> Value {
        // An uncompressed point: 0x04, then x and y of 32 bytes each.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len().saturating_sub(1) / 2);
        json!({"keys": [{
            "use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }]})
    }

    /// The discovery document (`/.well-known/openid-configuration`).
    pub fn discovery() -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{ISSUER}/openid/v1/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(part: &str) -> Result<Value, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn key() -> TokenKey {
        TokenKey::from_pem(&rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap()
    }

    #[test]
    fn signs_and_checks() {
        let key = key();
        let claims =
            json!({"iss": ISSUER, "exp": 1_795_000_600, "nbf": 1_795_000_000, "sub": "system:serviceaccount:a:b"});
        let token = key.sign(&claims).unwrap();
        assert_eq!(key.verify(&token, NOW), Ok(claims));
        let at = |seconds| Timestamp::from_seconds(NOW.seconds() + seconds);
        assert_eq!(key.verify(&token, at(700)), Err(TokenError::Expired));
        assert_eq!(key.verify(&token, at(-60)), Err(TokenError::NotYet));
        assert_eq!(self::key().verify(&token, NOW), Err(TokenError::Signature));
        assert_eq!(key.verify("x", NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn refuses_every_single_changed_character() {
        let key = key();
        let token = key.sign(&json!({"iss": ISSUER, "exp": 1_795_000_600})).unwrap();
        for at in (0..token.len()).step_by(7) {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(key.verify(&changed, NOW).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn refuses_other_algorithms() {
        let key = key();
        let claims = encode(&json!({"iss": ISSUER, "exp": 1_795_000_600}));
        for alg in ["none", "HS256", "RS256"] {
            let token = format!("{}.{claims}.", encode(&json!({"alg": alg})));
            assert_eq!(key.verify(&token, NOW), Err(TokenError::Signature));
        }
    }

    #[test]
    fn key_set_verifies_with_its_own_numbers() {
        let key = key();
        let set = key.key_set();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(set["keys"][0][name].as_str().unwrap()).unwrap();
        let point = [vec![4], part("x"), part("y")].concat();
        let token = key.sign(&json!({"iss": ISSUER})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).unwrap();
    }
}
