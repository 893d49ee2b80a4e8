//! What a notebook's Spark drivers say of themselves, by the door in their pod.

use crate::view::Key;
use emberyard_client::{ApiError, Client};
use emberyard_manifest::SESSION_PATH;
use emberyard_model::notebook::DOOR_PORT;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A door that does not answer within this is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The driver processes of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Drivers {
    /// Processes, also those that show no UI.
    #[serde(rename = "drivers")]
    pub processes: u32,
    /// Contexts that show their UI; none where they were not asked for.
    pub contexts: Vec<Context>,
    /// Ports on which something in the pod listens; none from a door that does not tell.
    #[serde(default)]
    pub listening: Option<BTreeSet<u16>>,
}

/// A running Spark context.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Context {
    /// The application's id.
    pub id: String,
    /// Settings about executors.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl Context {
    /// How many executors it will ask for; none when that depends on its work (dynamic allocation).
    pub fn executors(&self) -> Option<u32> {
        if self.settings.get("spark.dynamicAllocation.enabled").is_some_and(|value| value == "true") {
            return None;
        }
        // Spark's own default on Kubernetes is two.
        self.settings.get("spark.executor.instances").map_or(Some(2), |value| value.parse().ok())
    }
}

/// Asks the door of a notebook's pod.
pub async fn ask(client: &Client, pod: &Key) -> Result<Drivers, ApiError> {
    ask_for(client, pod, &[]).await
}

/// The same, but for the contexts: a driver's JVM, which knows of them, is not disturbed.
pub async fn ask_for_processes(client: &Client, pod: &Key) -> Result<Drivers, ApiError> {
    ask_for(client, pod, &[("contexts", "no")]).await
}

async fn ask_for(client: &Client, pod: &Key, query: &[(&str, &str)]) -> Result<Drivers, ApiError> {
    let Key { namespace, name } = pod;
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:{DOOR_PORT}/proxy{SESSION_PATH}");
    let answer = tokio::time::timeout(PATIENCE, client.get(&path, query))
        .await
        .map_err(|_| ApiError::unreachable("the door to the Spark UI does not answer"))??;
    serde_json::from_value(answer).map_err(|error| ApiError::unreachable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_executors_a_context_wants() {
        let table = [
            (r#"{"id":"a"}"#, Some(2)),
            (r#"{"id":"a","settings":{"spark.executor.instances":"10"}}"#, Some(10)),
            (r#"{"id":"a","settings":{"spark.executor.instances":"x"}}"#, None),
            (
                r#"{"id":"a","settings":{"spark.executor.instances":"5","spark.dynamicAllocation.enabled":"true"}}"#,
                None,
            ),
        ];
        for (text, wanted) in table {
            assert_eq!(serde_json::from_str::<Context>(text).unwrap().executors(), wanted, "{text}");
        }
    }
}
