//! One request as a value, free of any HTTP library.

use crate::User;
use bytes::Bytes;
use emberyard_object::Method;

/// Whom a request wants to be taken for (`Impersonate-*` headers).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impersonate {
    /// `Impersonate-User`.
    pub user: String,
    /// `Impersonate-Uid`.
    pub uid: Option<String>,
    /// `Impersonate-Group`, each.
    pub groups: Vec<String>,
    /// `Impersonate-Extra-KEY`, key already unescaped and in lower case.
    pub extra: Vec<(String, String)>,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who asks, already authenticated.
    pub user: User,
    /// Whom the asker wants to be taken for.
    pub impersonate: Option<Impersonate>,
    /// HTTP method. `HEAD` is to be given as GET.
    pub method: Method,
    /// Path without query, percent-encoding undone in no part of it.
    pub path: String,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// `Accept` as sent.
    pub accept: Option<String>,
    /// `User-Agent`: the default name of a field manager is its part before the first `/`.
    pub user_agent: Option<String>,
    /// The body; at most a little longer than `Config::body_limit`, the rest need not be read.
    pub body: Bytes,
}

impl Request {
    /// A request without body and with nothing else set.
    pub fn new(user: User, method: Method, path: impl Into<String>) -> Self {
        Self {
            user,
            impersonate: None,
            method,
            path: path.into(),
            query: Vec::new(),
            content_type: None,
            accept: None,
            user_agent: None,
            body: Bytes::new(),
        }
    }
}
