//! All loops and the lease, started together and ended together.

use crate::config::OperatorConfig;
use crate::error::OperatorError;
use crate::{fleet, hdfs, lease, notebooks};
use emberyard_client::ApiError;
use emberyard_plan::session::Outlook;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// Under which name this operator's fields stand in `managedFields`.
pub(crate) const FIELD_MANAGER: &str = "emberyard-operator";

/// Runs until shutdown. Ends early only when it can't do its work at all.
pub async fn run(config: OperatorConfig) -> Result<(), OperatorError> {
    let [notebook, hdfs_cluster] = [emberyard_model::crd::notebook(), emberyard_model::crd::hdfs_cluster()];
    tokio::try_join!(define(&config, &notebook), define(&config, &hdfs_cluster))?;
    let (leading, follows) = watch::channel(false);
    let lease = tokio::spawn(lease::hold(config.clone(), leading));
    // What the fleet intends is told to those who wait for it.
    let (tell, outlook) = watch::channel(Arc::new(Outlook::default()));
    let fleet =
        config.fleet.clone().map(|fleet| tokio::spawn(fleet::run(config.clone(), fleet, follows.clone(), tell)));
    // What there is of HDFS is told to sessions.
    let (found, clients) = watch::channel(hdfs::Found::default());
    let hdfs = tokio::spawn(hdfs::run(config.clone(), follows.clone(), found));
    notebooks::run(config, follows, outlook, clients).await;
    for task in fleet.into_iter().chain([hdfs, lease]) {
        if let Err(error) = task.await {
            tracing::error!(%error, "a part of the operator ended badly");
        }
    }
    Ok(())
}

/// Teaches the cluster a resource, or brings its definition up to date.
async fn define(config: &OperatorConfig, definition: &Value) -> Result<(), OperatorError> {
    let path = format!("{DEFINITIONS}/{}", definition["metadata"]["name"].as_str().unwrap_or_default());
    loop {
        let known = config.client.find(&path).await;
        let done = match &known {
            Ok(Some(_)) => config.client.apply(&path, definition, FIELD_MANAGER).await.map(drop),
            Ok(None) => config.client.create(DEFINITIONS, definition).await.map(drop),
            Err(error) => Err(error.clone()),
        };
        match (done, known) {
            (Ok(()), _) => return Ok(()),
            (Err(error), Ok(Some(_))) if !error.is_passing() => {
                tracing::warn!(%error, "the definition of a resource could not be brought up to date");
                return Ok(());
            }
            // Not allowed to look: whoever installed us took care of it.
            (Err(error), Err(_)) if error.status == 403 => {
                tracing::warn!(%error, "the definition of a resource is not checked");
                return Ok(());
            }
            (Err(error), _) if error.is_passing() || error.is_conflict() => wait(config, &error).await,
            (Err(error), _) => return Err(OperatorError::NoDefinition(error)),
        }
        if config.shutdown.is_cancelled() {
            return Ok(());
        }
    }
}

async fn wait(config: &OperatorConfig, error: &ApiError) {
    tracing::debug!(%error, "waiting for the API server");
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
        () = config.shutdown.cancelled() => {}
    }
}
