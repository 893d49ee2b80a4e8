//! Why a request or a connection failed.

use emberyard_model::{Code, Explained};
use serde_json::Value;
use std::path::PathBuf;

/// The API server's refusal, or the lack of any answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status; 0 when there was no answer at all.
    pub status: u16,
    /// Kubernetes' machine word for it (`NotFound`, `Conflict`, `Expired`…); `Unreachable` without an answer.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl ApiError {
    /// No answer arrived: refused, reset, timed out, or not HTTP.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { status: 0, reason: "Unreachable".to_owned(), message: message.into() }
    }

    /// From an answer's status and body; a body that is no `Status` object is quoted in short.
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        let field = |name: &str| parsed.as_ref().and_then(|v| v[name].as_str()).map(str::to_owned);
        let message = field("message").unwrap_or_else(|| {
            let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
            format!("the server answered {status}: {text}")
        });
        Self { status, reason: field("reason").unwrap_or_default(), message }
    }

    /// The object or the resource does not exist (404).
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Someone else wrote first, or the name is taken (409).
    pub fn is_conflict(&self) -> bool {
        self.status == 409
    }

    /// The name is taken (409 with reason `AlreadyExists`).
    pub fn is_already_exists(&self) -> bool {
        self.status == 409 && self.reason == "AlreadyExists"
    }

    /// The history asked for is gone (410): list again.
    pub fn is_gone(&self) -> bool {
        self.status == 410
    }

    /// Whether asking again later can help without a change of the request.
    pub fn is_passing(&self) -> bool {
        matches!(self.status, 0 | 408 | 429 | 500 | 502..=504 | 507)
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The kubeconfig is missing, unreadable or contradictory.
    #[error("the kubeconfig {path} can't be used: {message}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Neither the mounted service account nor its environment is there.
    #[error("this is no pod of a cluster: {message}")]
    NotInCluster {
        /// What is missing.
        message: String,
    },
    /// The certificates or keys are unusable.
    #[error("no secure connection can be set up: {message}")]
    Tls {
        /// What is wrong.
        message: String,
    },
}

const KUBECONFIG: Code = Code {
    id: "EY-CLT-001",
    what: "The kubeconfig can't be used.",
    why: "The file is missing, unreadable for this user, no YAML, or its context names a cluster or user that it does not hold.",
    cure: "Print a fresh one with `emberyard kubeconfig`, or name the right file.",
};
const NOT_IN_CLUSTER: Code = Code {
    id: "EY-CLT-002",
    what: "No cluster could be found from inside a pod.",
    why: "The variables KUBERNETES_SERVICE_HOST and _PORT or the mounted service-account files are missing.",
    cure: "Run it in a pod whose service account is mounted, or name a kubeconfig.",
};
const TLS: Code = Code {
    id: "EY-CLT-003",
    what: "The connection's certificates can't be used.",
    why: "A certificate or key in the kubeconfig is damaged or of an unknown kind.",
    cure: "Print a fresh kubeconfig with `emberyard kubeconfig`.",
};

/// All codes of this crate.
pub const CODES: &[Code] = &[KUBECONFIG, NOT_IN_CLUSTER, TLS];

impl Explained for ClientError {
    fn code(&self) -> Code {
        match self {
            Self::Kubeconfig { .. } => KUBECONFIG,
            Self::NotInCluster { .. } => NOT_IN_CLUSTER,
            Self::Tls { .. } => TLS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_status_and_quotes_anything_else() {
        let error =
            ApiError::from_answer(404, br#"{"kind":"Status","reason":"NotFound","message":"pods \"a\" not found"}"#);
        assert!(error.is_not_found() && error.reason == "NotFound" && error.message == "pods \"a\" not found");
        let error = ApiError::from_answer(502, b"bad gateway");
        assert!(error.is_passing() && error.message.contains("bad gateway"));
        assert!(ApiError::unreachable("refused").is_passing());
    }
}
