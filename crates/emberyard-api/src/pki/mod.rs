//! Keys and certificates of a yard (`pki/` in its folder): made once, renewed before they end.

mod authority;
pub mod files;
mod inspect;

pub use authority::{Authority, Credentials};
pub use inspect::{certificate_der, not_after};

use emberyard_model::Timestamp;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// Why keys and certificates could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One half of the authority is gone; a new one would lock out everyone who trusts the old one.
    #[error("{} exists without its partner", path.display())]
    HalfAnAuthority {
        /// The half that is there.
        path: PathBuf,
    },
    /// The authority's ten years are over.
    #[error("the certificate authority {} has ended", path.display())]
    AuthorityEnded {
        /// Its certificate.
        path: PathBuf,
    },
    /// A certificate could not be made or read.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate for a user of more groups than can be written.
    #[error("the certificate of {user} would need {groups} groups, at most 2 fit")]
    TooManyGroups {
        /// The common name.
        user: String,
        /// How many were asked.
        groups: usize,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Entropy,
}

/// Names and addresses of the API server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses.
    pub ips: Vec<IpAddr>,
}

impl Default for Names {
    /// What every yard answers to: the service's names, localhost, loopback, the ClusterIP and the yard's own side.
    fn default() -> Self {
        let dns = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
        ];
        let ips = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 96, 0, 1), Ipv4Addr::new(10, 41, 0, 1)];
        Self { dns: dns.map(str::to_owned).to_vec(), ips: ips.map(IpAddr::V4).to_vec() }
    }
}

/// All keys and certificates that the API server itself needs.
#[derive(Debug)]
pub struct Pki {
    folder: PathBuf,
    /// Signs everything else.
    pub authority: Authority,
    /// The API server's serving certificate.
    pub serving: Credentials,
    /// The administrator (`admin` in `system:masters`).
    pub admin: Credentials,
    /// What the API server shows to kubelets (`kube-apiserver-kubelet-client`).
    pub kubelet_client: Credentials,
    service_account_key: String,
}

impl Pki {
    /// The service-account signing key (ES256), PKCS#8 PEM.
    pub fn service_account_key(&self) -> &str {
        &self.service_account_key
    }

    /// A client certificate kept in `pki/FILE.crt` and `.key`: made or renewed when needed.
    pub fn client(&self, file: &str, cn: &str, orgs: &[&str], now: Timestamp) -> Result<Credentials, PkiError> {
        client(&self.folder, &self.authority, file, cn, orgs, now)
    }
}

/// A fresh client certificate that is kept nowhere.
pub fn issue_client(authority: &Authority, cn: &str, orgs: &[&str], now: Timestamp) -> Result<Credentials, PkiError> {
    authority.client(cn, orgs, now)
}

/// A fresh serving certificate for a node's kubelet port: its name and its address.
pub fn issue_serving(
    authority: &Authority,
    node: &str,
    ips: &[IpAddr],
    now: Timestamp,
) -> Result<Credentials, PkiError> {
    authority.serving(&format!("system:node:{node}"), &["system:nodes"], &[node.to_owned()], ips, now)
}

/// Makes what is missing in `dir`, renews leaves that end within 30 days or lack a name, and reads the rest.
/// Idempotent; several processes may call it at once.
pub fn ensure(dir: &Path, names: &Names, now: Timestamp) -> Result<Pki, PkiError> {
    files::private_folder(dir).map_err(at(dir))?;
    let _lock = files::lock_folder(dir).map_err(at(dir))?;
    let authority = ensure_authority(dir, now)?;
    let cn = "kube-apiserver";
    let wanted = inspect::Wanted { cn, dns: &names.dns, ips: &names.ips };
    let serving =
        kept(dir, "apiserver", &authority, &wanted, now, || authority.serving(cn, &[], &names.dns, &names.ips, now))?;
    let admin = client(dir, &authority, "admin", "admin", &["system:masters"], now)?;
    let kubelet = "kube-apiserver-kubelet-client";
    let kubelet_client = client(dir, &authority, kubelet, kubelet, &[], now)?;
    let service_account_key = ensure_key(&dir.join("sa.key"))?;
    Ok(Pki { folder: dir.to_owned(), authority, serving, admin, kubelet_client, service_account_key })
}

fn ensure_authority(dir: &Path, now: Timestamp) -> Result<Authority, PkiError> {
    let (cert_path, key_path) = (dir.join("ca.crt"), dir.join("ca.key"));
    match (read(&cert_path)?, read(&key_path)?) {
        (Some(certificate), Some(key)) => {
            if not_after(&certificate).is_none_or(|end| end <= now) {
                return Err(PkiError::AuthorityEnded { path: cert_path });
            }
            Authority::load(&Credentials { certificate, key })
        }
        (Some(_), None) => Err(PkiError::HalfAnAuthority { path: cert_path }),
        // A key alone is what a crash between the two writes leaves: nobody has seen its certificate yet.
        (None, _) => {
            let (authority, made) = Authority::create(now)?;
            write(&key_path, &made.key)?;
            write(&cert_path, &made.certificate)?;
            Ok(authority)
        }
    }
}

fn client(
    dir: &Path,
    authority: &Authority,
    file: &str,
    cn: &str,
    orgs: &[&str],
    now: Timestamp,
) -> Result<Credentials, PkiError> {
    let wanted = inspect::Wanted { cn, dns: &[], ips: &[] };
    kept(dir, file, authority, &wanted, now, || authority.client(cn, orgs, now))
}

fn kept(
    dir: &Path,
    file: &str,
    authority: &Authority,
    wanted: &inspect::Wanted<'_>,
    now: Timestamp,
    make: impl FnOnce() -> Result<Credentials, PkiError>,
) -> Result<Credentials, PkiError> {
    let (cert_path, key_path) = (dir.join(format!("{file}.crt")), dir.join(format!("{file}.key")));
    if let (Some(certificate), Some(key)) = (read(&cert_path)?, read(&key_path)?) {
        let pair = Credentials { certificate, key };
        if inspect::still_good(&pair, authority.certificate(), wanted, now) {
            return Ok(pair);
        }
    }
    let made = make()?;
    // A crash between the two leaves a pair that does not match, which the next start replaces.
    write(&key_path, &made.key)?;
    write(&cert_path, &made.certificate)?;
    Ok(made)
}

fn ensure_key(path: &Path) -> Result<String, PkiError> {
    if let Some(text) = read(path)? {
        rcgen::KeyPair::from_pem(&text)?;
        return Ok(text);
    }
    let text = rcgen::KeyPair::generate()?.serialize_pem();
    write(path, &text)?;
    Ok(text)
}

fn read(path: &Path) -> Result<Option<String>, PkiError> {
    files::read_if_there(path).map_err(at(path))
}

fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    files::write_private(path, text.as_bytes()).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PkiError + '_ {
    move |source| PkiError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
