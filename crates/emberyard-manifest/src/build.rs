//! A session's objects, all of them, in the order in which they are best made.

use crate::validate::Session;
use crate::{account, config, outside, pod, service, storage};
use serde_json::Value;

/// Everything a notebook consists of in the cluster, its token's secret aside ([`crate::token_secret`]).
#[derive(Debug, Clone, PartialEq)]
pub struct NotebookObjects {
    /// Who it is.
    pub service_account: Value,
    /// What it may do.
    pub role: Value,
    /// That it may do it.
    pub role_binding: Value,
    /// Its files.
    pub config_map: Value,
    /// The ways to the outside; none where pods need none.
    pub outside: Option<Value>,
    /// Jupyter, the driver, the Spark UI.
    pub services: [Value; 3],
    /// Its home; made once, never changed, never deleted.
    pub home: Value,
    /// Its pod; none while it is stopped.
    pub pod: Option<Value>,
}

/// Builds them. What can go wrong has gone wrong in [`crate::validate()`].
pub fn build(session: &Session) -> NotebookObjects {
    NotebookObjects {
        service_account: account::service_account(session),
        role: account::role(session),
        role_binding: account::role_binding(session),
        config_map: config::config_map(session),
        outside: outside::secret(session),
        services: [service::jupyter(session), service::driver(session), service::spark_ui(session)],
        home: storage::home(session),
        pod: (!session.stopped).then(|| pod::pod(session)),
    }
}
