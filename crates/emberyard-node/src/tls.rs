//! TLS: the kubelet port's, and the one of probes, which check no certificates (as Kubernetes' do not).

use crate::config::ServingIdentity;
use crate::error::AgentError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::path::Path;
use std::sync::Arc;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The kubelet port's configuration: clients must show a certificate of the authority.
pub(crate) fn serving(identity: &ServingIdentity) -> Result<ServerConfig, AgentError> {
    let bad = |path: &Path, reason: &dyn std::fmt::Display| AgentError::Tls {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>, AgentError> {
        let list = CertificateDer::pem_file_iter(path).map_err(|e| bad(path, &e))?;
        list.collect::<Result<_, _>>().map_err(|e| bad(path, &e))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&identity.client_ca)? {
        roots.add(certificate).map_err(|e| bad(&identity.client_ca, &e))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| bad(&identity.client_ca, &e))?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|e| bad(&identity.key, &e))?;
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&identity.key, &e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&identity.certificate)?, key)
        .map_err(|e| bad(&identity.certificate, &e))
}

/// A client that trusts anyone: a probe asks whether a server answers, not who it is.
pub(crate) fn unchecked() -> ClientConfig {
    let provider = provider();
    let verifier = Arc::new(Anyone(provider.clone()));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match builder {
        Ok(builder) => builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
        // The provider above has suites of both versions; the default configuration is the same one.
        Err(_) => ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
    }
}

#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
