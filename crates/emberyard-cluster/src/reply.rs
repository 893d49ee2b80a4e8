//! What the server answers.

use crate::{Revision, User, WatchCursor, journal::Record};
use bytes::Bytes;
use emberyard_object::Method;
use serde_json::Value;
use std::time::Duration;

/// The outcome of one request.
#[derive(Debug)]
pub enum Reply {
    /// An answer; not to be sent before its records, and everything up to its revision, are durable.
    Answer(Answer),
    /// A watch to be streamed with `ApiServer::poll_watch`.
    Watch(Box<WatchStart>),
    /// A connection to a kubelet, pod or service; permission and existence are already checked.
    Connect(Box<Connect>),
    /// A service-account token to be signed; answer with `TokenToSign::answer`.
    Sign(Box<TokenToSign>),
    /// A token whose signature is to be checked; answer with `ApiServer::review_token`.
    Verify(Box<TokenToVerify>),
}

/// A response header.
pub type Header = (&'static str, String);

/// A whole HTTP answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// `Warning`, `Retry-After` and the like.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Bytes,
    /// Changes this request made, to be made durable before the answer is sent.
    pub records: Vec<Record>,
    /// The state the answer shows; not to be sent before this revision is durable.
    pub revision: Revision,
}

/// A watch that was accepted (status 200).
#[derive(Debug)]
pub struct WatchStart {
    /// Where the watch stands; to be given to `ApiServer::poll_watch`.
    pub cursor: WatchCursor,
    /// When to end the stream (`timeoutSeconds`); the caller chooses where the client did not.
    pub timeout: Option<Duration>,
    /// `Content-Type` of the stream.
    pub content_type: String,
}

/// What kind of connection is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectKind {
    /// `pods/log`: a plain GET, streamed.
    Log,
    /// `pods/exec`: upgraded, `v4`/`v5.channel.k8s.io` or SPDY.
    Exec,
    /// `pods/attach`: as exec.
    Attach,
    /// `pods/portforward`.
    PortForward,
    /// `pods|services|nodes/NAME/proxy`: any method, body and upgrade.
    Proxy,
}

/// How to speak to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// TLS without checking the certificate's name (pods and services make their own).
    Https,
    /// TLS with the API server's kubelet client certificate; the node's certificate is checked.
    Kubelet,
}

/// Where to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// How to speak.
    pub scheme: Scheme,
    /// IP address as text.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The node's name when the target is a kubelet or node.
    pub node: Option<String>,
}

/// A connection to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    /// Who asks (after impersonation).
    pub user: User,
    /// What kind of connection.
    pub kind: ConnectKind,
    /// Where to.
    pub target: Target,
    /// The client's method; to be kept for proxies, GET otherwise.
    pub method: Method,
    /// Path at the target, percent-encoded.
    pub path: String,
    /// Query at the target, decoded.
    pub query: Vec<(String, String)>,
    /// For proxies: the path on this server that stands for `/` at the target, without trailing slash.
    pub prefix: String,
}

/// A token to sign.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenToSign {
    /// The JWT's claims.
    pub claims: Value,
    /// The TokenRequest object to answer, still without `status.token`.
    pub review: Value,
    /// Revision the claims were read at.
    pub revision: Revision,
}

/// A token to check.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenToVerify {
    /// The token as sent in `spec.token`.
    pub token: String,
    /// The TokenReview object to answer.
    pub review: Value,
}

impl TokenToSign {
    /// The answer once the token is signed.
    pub fn answer(mut self, token: String) -> Answer {
        self.review["status"]["token"] = Value::String(token);
        Answer {
            status: 201,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: Bytes::from(self.review.to_string()),
            records: Vec::new(),
            revision: self.revision,
        }
    }
}
