//! Whether a certificate on disk still serves.

use super::authority::Credentials;
use emberyard_model::Timestamp;
use rcgen::{KeyPair, PublicKeyData};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Leaves are renewed when less than this is left.
const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);

/// What a leaf has to be to be kept.
pub struct Wanted<'a> {
    /// Common name.
    pub cn: &'a str,
    /// Names in the subject alternative name extension.
    pub dns: &'a [String],
    /// Addresses in it.
    pub ips: &'a [IpAddr],
}

/// The bytes of the first certificate in a PEM text.
pub fn certificate_der(pem: &str) -> Option<Vec<u8>> {
    use rustls_pki_types::pem::PemObject as _;
    rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(|der| der.as_ref().to_vec())
}

/// When the certificate ends; `None` when it can't be read.
pub fn not_after(pem: &str) -> Option<Timestamp> {
    let der = certificate_der(pem)?;
    let (_, parsed) = X509Certificate::from_der(&der).ok()?;
    Some(Timestamp::from_seconds(parsed.validity().not_after.timestamp()))
}

/// True when the pair belongs together, was signed by `authority`, lasts, and names what is wanted.
pub fn still_good(pair: &Credentials, authority: &str, wanted: &Wanted<'_>, now: Timestamp) -> bool {
    check(pair, authority, wanted, now).unwrap_or(false)
}

fn check(pair: &Credentials, authority: &str, wanted: &Wanted<'_>, now: Timestamp) -> Option<bool> {
    let (leaf_der, authority_der) = (certificate_der(&pair.certificate)?, certificate_der(authority)?);
    let (_, leaf) = X509Certificate::from_der(&leaf_der).ok()?;
    let (_, authority) = X509Certificate::from_der(&authority_der).ok()?;
    let key = KeyPair::from_pem(&pair.key).ok()?;
    let end = Timestamp::from_seconds(leaf.validity().not_after.timestamp());
    let mut dns = BTreeSet::new();
    let mut ips = BTreeSet::new();
    if let Ok(Some(names)) = leaf.subject_alternative_name() {
        for name in &names.value.general_names {
            match name {
                GeneralName::DNSName(text) => drop(dns.insert((*text).to_owned())),
                GeneralName::IPAddress(bytes) => drop(ips.insert(address(bytes)?)),
                _ => {}
            }
        }
    }
    Some(
        leaf.verify_signature(Some(authority.public_key())).is_ok()
            && key.der_bytes() == leaf.public_key().subject_public_key.data.as_ref()
            && now.plus(RENEW_BEFORE) < end
            && leaf.subject().iter_common_name().next()?.as_str().ok()? == wanted.cn
            && dns == wanted.dns.iter().cloned().collect()
            && ips == wanted.ips.iter().copied().collect(),
    )
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}
