//! Connecting to kubelets, pods and services.

use super::tls::{pair, provider, roots};
use crate::error::ServeError;
use crate::pki::Pki;
use emberyard_cluster::{Scheme, Target};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Connecting, the TLS handshake included, takes no longer.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection of either kind.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects to what is behind the API.
pub struct Dialer {
    kubelet: TlsConnector,
    unverified: TlsConnector,
}

impl Dialer {
    /// With the API server's kubelet client certificate; kubelets' certificates must be of the same authority.
    pub fn new(pki: &Pki) -> Result<Self, ServeError> {
        let builder = || ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let (chain, key) = pair(&pki.kubelet_client)?;
        let kubelet =
            builder()?.with_root_certificates(roots(pki.authority.certificate())?).with_client_auth_cert(chain, key)?;
        let unverified =
            builder()?.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate)).with_no_client_auth();
        Ok(Self { kubelet: Arc::new(kubelet).into(), unverified: Arc::new(unverified).into() })
    }

    /// A connection to the target.
    pub(super) async fn connect(&self, target: &Target) -> io::Result<Box<dyn Duplex>> {
        let connecting = async {
            let stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
            stream.set_nodelay(true)?;
            let connector = match target.scheme {
                Scheme::Http => return Ok(Box::new(stream) as Box<dyn Duplex>),
                Scheme::Https => &self.unverified,
                Scheme::Kubelet => &self.kubelet,
            };
            let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
            Ok(Box::new(connector.connect(name, stream).await?) as Box<dyn Duplex>)
        };
        timeout(CONNECT, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// Pods and services make certificates of their own, for names we can't know: what is encrypted to them is not more
/// trusted than plain HTTP, as with a Kubernetes API server.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
