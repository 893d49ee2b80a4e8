//! Carries a decision out: the only place where notebooks' objects are written.

use super::decide::{Decision, PodAction};
use crate::config::OperatorConfig;
use crate::run::FIELD_MANAGER;
use crate::write::{collection, create_once, of};
use emberyard_client::{ApiError, Client, path};
use emberyard_manifest::{Session, token_secret};

/// Proof that everything was written; without it no status may claim so.
#[derive(Debug)]
pub struct Applied(());

/// Writes everything but the pod. Safe to repeat.
pub async fn surroundings(config: &OperatorConfig, session: &Session, decision: &Decision) -> Result<(), ApiError> {
    for object in &decision.apply {
        config.client.apply(&of(object), object, FIELD_MANAGER).await?;
    }
    for object in &decision.once {
        create_once(&config.client, object).await?;
    }
    if decision.makes_token {
        let mut random = [0; 24];
        (config.entropy)(&mut random);
        create_once(&config.client, &token_secret(session, &random)).await?;
    }
    Ok(())
}

/// Makes or ends the pod.
pub async fn pod(client: &Client, session: &Session, action: &PodAction) -> Result<Applied, ApiError> {
    match action {
        PodAction::Leave => {}
        PodAction::Create(pod) => {
            match client.create(&collection(pod), pod).await {
                Ok(_) => {}
                // The watch is behind; its next event decides anew.
                Err(error) if error.is_already_exists() => {}
                Err(error) => return Err(error),
            }
        }
        PodAction::Delete(why) => {
            let name = session.names().pod();
            tracing::info!(pod = %name, why, "the notebook's pod is deleted");
            client.delete(&path("", "v1", &session.identity.namespace, "pods", &name)).await?;
        }
    }
    Ok(Applied(()))
}
