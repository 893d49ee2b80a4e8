//! One HTTP client with the user's proxy (`HTTPS_PROXY`, `NO_PROXY`, …) and certificates.

use crate::error::ImageError;
use crate::net::without_credentials;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// Largest index we read into memory, in bytes.
const INDEX_LIMIT: u64 = 256 << 20;

/// Why a fetch gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The server says there is no such thing (404, 410).
    Gone {
        /// What was asked.
        url: String,
    },
    /// No answer, or not a useful one.
    Failed {
        /// What was asked.
        url: String,
        /// The last failure.
        why: String,
    },
    /// Bytes came, but not the promised ones.
    Wrong {
        /// What was asked.
        url: String,
        /// Promised digest.
        promised: String,
        /// Digest of what came.
        got: String,
    },
    /// The file could not be written.
    Disk {
        /// Where.
        path: std::path::PathBuf,
        /// The system's answer.
        why: String,
    },
}

impl From<FetchError> for ImageError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Gone { url } => Self::Unreachable { url, why: "the server has no such file".to_owned() },
            FetchError::Failed { url, why } => Self::Unreachable { url, why },
            FetchError::Wrong { url, promised, got } => Self::Checksum { url, promised, got },
            FetchError::Disk { path, why } => Self::Io { doing: "write", path, source: std::io::Error::other(why) },
        }
    }
}

/// The client. Cheap to clone; one is enough for all threads.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
}

impl Http {
    /// A client that trusts what the machine trusts and goes through the user's proxy.
    pub fn new() -> Self {
        let tls = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::Rustls)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .user_agent(concat!("emberyard/", env!("CARGO_PKG_VERSION")))
            .max_redirects(8)
            .build()
            .new_agent();
        Self { agent }
    }

    /// Starts reading `url` at byte `from`; answers the body and the byte it really starts at.
    pub fn open(&self, url: &str, from: u64, accept: Option<&str>) -> Result<Opened, FetchError> {
        let shown = without_credentials(url);
        let mut request = self.agent.get(url);
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = request.call().map_err(|e| FetchError::Failed { url: shown.clone(), why: plain(&e) })?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let content_type = header("content-type").unwrap_or_default();
        let length = header("content-length").and_then(|text| text.parse().ok());
        let start = match status {
            200 => 0,
            206 => from,
            404 | 410 => return Err(FetchError::Gone { url: shown }),
            status => return Err(FetchError::Failed { url: shown, why: format!("the server answered {status}") }),
        };
        Ok(Opened { body: Box::new(response.into_body().into_reader()), start, length, content_type })
    }

    /// Whether `url` is there, trying again where the network fails; its content is not read.
    pub fn has(&self, url: &str) -> Result<(), FetchError> {
        again(|| self.open(url, 0, None).map(drop))
    }

    /// Reads a whole document, trying again where the network fails.
    pub fn get(&self, url: &str, accept: Option<&str>) -> Result<Document, FetchError> {
        again(|| {
            let opened = self.open(url, 0, accept)?;
            let mut bytes = Vec::new();
            opened
                .body
                .take(INDEX_LIMIT)
                .read_to_end(&mut bytes)
                .map_err(|e| FetchError::Failed { url: without_credentials(url), why: e.to_string() })?;
            Ok(Document { bytes, content_type: opened.content_type })
        })
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

/// A body on its way.
pub struct Opened {
    /// The bytes.
    pub body: Box<dyn Read + Send>,
    /// Offset of the first byte in the whole file.
    pub start: u64,
    /// Length of this body, if the server says it.
    pub length: Option<u64>,
    /// Content type, empty if none.
    pub content_type: String,
}

/// A document as read.
pub struct Document {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Content type, empty if none.
    pub content_type: String,
}

/// Tries four times where trying again can help.
pub(super) fn again<T>(mut attempt: impl FnMut() -> Result<T, FetchError>) -> Result<T, FetchError> {
    let mut wait = Duration::from_millis(300);
    for _ in 0..3 {
        match attempt() {
            Err(FetchError::Failed { .. }) => std::thread::sleep(wait),
            done => return done,
        }
        wait *= 3;
    }
    attempt()
}

fn plain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host name is not known here".to_owned(),
        other => other.to_string(),
    }
}
