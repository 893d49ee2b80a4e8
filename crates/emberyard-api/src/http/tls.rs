//! TLS of the server: our certificate, optional client certificates of our own authority, HTTP/2 by ALPN.

use crate::error::ServeError;
use crate::pki::{Credentials, Pki};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;

/// The cryptography everything here uses.
pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The roots of a PEM text.
pub(super) fn roots(authority: &str) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.map_err(|e| rustls::Error::General(e.to_string()))?)?;
    }
    Ok(roots)
}

/// Chain and key of a PEM pair.
pub(super) fn pair(
    credentials: &Credentials,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), rustls::Error> {
    let general = |e: rustls::pki_types::pem::Error| rustls::Error::General(e.to_string());
    let chain = CertificateDer::pem_slice_iter(credentials.certificate.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(credentials.key.as_bytes()).map_err(general)?;
    Ok((chain.map_err(general)?, key))
}

/// TLS for the API's listeners.
pub fn server_config(pki: &Pki) -> Result<Arc<ServerConfig>, ServeError> {
    let clients = Arc::new(roots(pki.authority.certificate())?);
    let verifier = WebPkiClientVerifier::builder_with_provider(clients, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|e| rustls::Error::General(e.to_string()))?;
    let (chain, key) = pair(&pki.serving)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
