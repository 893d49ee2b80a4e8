//! The certificate authority of a yard, and what it signs.

use super::PkiError;
use emberyard_model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::net::IpAddr;
use std::time::Duration;

/// Validity of the authority itself: ten years.
const AUTHORITY_LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// Validity of a leaf: one year.
pub const LEAF_LIFE: Duration = Duration::from_hours(365 * 24);
/// Certificates begin this long before they were made, for clocks that are behind.
const BACKDATE: Duration = Duration::from_hours(1);

/// A certificate with its private key, both PEM. `Debug` never shows the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS#8 PEM.
    pub key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Signs certificates.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority with a fresh key.
    pub(super) fn create(now: Timestamp) -> Result<(Self, Credentials), PkiError> {
        let key = KeyPair::generate()?;
        let mut params = parameters(now, AUTHORITY_LIFE)?;
        params.distinguished_name.push(DnType::CommonName, "emberyard-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let files = Credentials { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() };
        Ok((Self { certificate: files.certificate.clone(), issuer: Issuer::new(params, key) }, files))
    }

    /// The authority whose files these are.
    pub fn load(files: &Credentials) -> Result<Self, PkiError> {
        let issuer = Issuer::from_ca_cert_pem(&files.certificate, KeyPair::from_pem(&files.key)?)?;
        Ok(Self { certificate: files.certificate.clone(), issuer })
    }

    /// The authority's own certificate, PEM: what clients verify servers with.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A client certificate: user name `cn`, groups `orgs` (Kubernetes reads CN and O; at most two groups, which is
    /// what the certificate library can write).
    pub fn client(&self, cn: &str, orgs: &[&str], now: Timestamp) -> Result<Credentials, PkiError> {
        let mut params = parameters(now, LEAF_LIFE)?;
        params.distinguished_name = subject(cn, orgs)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    /// A serving certificate for these names and addresses. `orgs` is empty but for kubelets (`system:nodes`).
    pub fn serving(
        &self,
        cn: &str,
        orgs: &[&str],
        dns: &[String],
        ips: &[IpAddr],
        now: Timestamp,
    ) -> Result<Credentials, PkiError> {
        let mut params = parameters(now, LEAF_LIFE)?;
        params.distinguished_name = subject(cn, orgs)?;
        for name in dns {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.subject_alt_names.extend(ips.iter().copied().map(SanType::IpAddress));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Credentials, PkiError> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        // Python 3.13 and newer refuse chains without the authority's key identifier.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Credentials { certificate, key: key.serialize_pem() })
    }
}

fn parameters(now: Timestamp, life: Duration) -> Result<CertificateParams, PkiError> {
    let mut serial = [0u8; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| PkiError::Entropy)?;
    serial[0] &= 0x7f; // a positive number, as RFC 5280 section 4.1.2.2 wants it
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let seconds = u64::try_from(now.seconds()).unwrap_or(0);
    params.not_before = epoch + Duration::from_secs(seconds.saturating_sub(BACKDATE.as_secs()));
    params.not_after = epoch + Duration::from_secs(seconds) + life;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    Ok(params)
}

fn subject(cn: &str, orgs: &[&str]) -> Result<DistinguishedName, PkiError> {
    let mut name = DistinguishedName::new();
    // The library keeps one value a type; the same attribute under its number is a second one.
    let types = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
    if orgs.len() > types.len() {
        return Err(PkiError::TooManyGroups { user: cn.to_owned(), groups: orgs.len() });
    }
    for (kind, org) in types.into_iter().zip(orgs) {
        name.push(kind, *org);
    }
    name.push(DnType::CommonName, cn);
    Ok(name)
}
