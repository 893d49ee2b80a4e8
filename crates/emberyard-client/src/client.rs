//! One connection to one API server.

use crate::error::{ApiError, ClientError};
use crate::request::{self, ContentKind, Query};
use crate::watch::{self, WatchEvent, Watching};
use bytes::Bytes;
use emberyard_model::with_causes;
use futures::Stream;
use http::Method;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A request that takes longer than this has no answer coming (watches and streams aside).
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Speaks to one API server under one identity. Cheap to clone; needs a tokio runtime.
#[derive(Clone)]
pub struct Client {
    inner: kube::Client,
}

impl Client {
    /// From a kubeconfig file's current context. Reads nothing else: no environment, no `~/.kube/config`.
    pub async fn from_kubeconfig(path: &Path) -> Result<Self, ClientError> {
        let bad = |message: String| ClientError::Kubeconfig { path: path.to_owned(), message };
        let kubeconfig = Kubeconfig::read_from(path).map_err(|e| bad(with_causes(&e)))?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|e| bad(with_causes(&e)))?;
        Self::from_config(config)
    }

    /// As a pod of the cluster it runs in: mounted service account and its environment variables.
    pub fn in_cluster() -> Result<Self, ClientError> {
        let config = kube::Config::incluster().map_err(|e| ClientError::NotInCluster { message: with_causes(&e) })?;
        Self::from_config(config)
    }

    /// Over a connection that the caller made, with layers of its own.
    pub fn over(inner: kube::Client) -> Self {
        Self { inner }
    }

    fn from_config(mut config: kube::Config) -> Result<Self, ClientError> {
        // The whole program uses one cryptography provider; a second attempt to install it is no error.
        drop(rustls::crypto::ring::default_provider().install_default());
        config.connect_timeout = Some(Duration::from_secs(5));
        // A 429 or 503 is an answer here: the callers' loops decide when to ask again.
        config.default_retry = false;
        let inner = kube::Client::try_from(config).map_err(|e| ClientError::Tls { message: with_causes(&e) })?;
        Ok(Self { inner })
    }

    /// One request, one JSON answer. An empty answer is `Value::Null`.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<&Value>,
        kind: ContentKind,
    ) -> Result<Value, ApiError> {
        let bytes = self.bytes(method, path, query, body.map(|b| (b, kind))).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes)
            .map_err(|e| ApiError::unreachable(format!("the answer of {path} is no JSON: {e}")))
    }

    /// The raw answer of a GET: logs, and what `pods/proxy` and `services/proxy` hand through.
    pub async fn get_bytes(&self, path: &str, query: Query<'_>) -> Result<Bytes, ApiError> {
        self.bytes(Method::GET, path, query, None).await
    }

    /// Reads an object or a list.
    pub async fn get(&self, path: &str, query: Query<'_>) -> Result<Value, ApiError> {
        self.request(Method::GET, path, query, None, ContentKind::Json).await
    }

    /// Reads an object; `None` when there is none.
    pub async fn find(&self, path: &str) -> Result<Option<Value>, ApiError> {
        match self.get(path, &[]).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an object in the collection `path`.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        self.request(Method::POST, path, &[], Some(object), ContentKind::Json).await
    }

    /// Changes an object by a patch.
    pub async fn patch(&self, path: &str, patch: &Value, kind: ContentKind) -> Result<Value, ApiError> {
        self.request(Method::PATCH, path, &[], Some(patch), kind).await
    }

    /// Server-side apply under the given field manager, taking over contested fields.
    pub async fn apply(&self, path: &str, object: &Value, manager: &str) -> Result<Value, ApiError> {
        let query = [("fieldManager", manager), ("force", "true")];
        self.request(Method::PATCH, path, &query, Some(object), ContentKind::Apply).await
    }

    /// Deletes an object in the background; one that is gone already is no error.
    pub async fn delete(&self, path: &str) -> Result<(), ApiError> {
        let options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        match self.request(Method::DELETE, path, &[], Some(&options), ContentKind::Json).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Every item of a collection, page by page, with the revision of the first page.
    /// Items get the `apiVersion` and `kind` that lists leave out.
    pub async fn list(&self, path: &str, query: Query<'_>) -> Result<(Vec<Value>, String), ApiError> {
        watch::list(self, path, &request::owned(query)).await
    }

    /// Follows a collection for ever: first [`WatchEvent::Restarted`] with everything there is, then each change.
    /// Interruptions are resumed where they broke off, or, where that is too long ago, answered by another `Restarted`.
    /// Never ends and never fails; reasons for waiting go to the log. Dropping the stream stops it.
    pub fn watch(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> impl Stream<Item = WatchEvent> + Send + Unpin + 'static + use<> {
        Watching::start(self.clone(), path.to_owned(), request::owned(query))
    }

    async fn bytes(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<(&Value, ContentKind)>,
    ) -> Result<Bytes, ApiError> {
        let answer = async {
            let response = self.open(method, path, &request::owned(query), body).await?;
            response.into_body().collect_bytes().await.map_err(|e| ApiError::unreachable(with_causes(&e)))
        };
        tokio::time::timeout(ANSWER_WITHIN, answer)
            .await
            .map_err(|_| ApiError::unreachable(format!("no answer for {path} within {} s", ANSWER_WITHIN.as_secs())))?
    }

    /// Sends and waits for the head of a successful answer.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
        body: Option<(&Value, ContentKind)>,
    ) -> Result<http::Response<Body>, ApiError> {
        let request = request::build(method, path, query, body).map_err(ApiError::unreachable)?;
        let response =
            self.inner.send(request.map(Body::from)).await.map_err(|e| ApiError::unreachable(with_causes(&e)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.into_body().collect_bytes().await.map_err(|e| ApiError::unreachable(with_causes(&e)))?;
        Err(ApiError::from_answer(status.as_u16(), &body))
    }
}
