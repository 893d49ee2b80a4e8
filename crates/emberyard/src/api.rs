//! Clients of the yard's own API.

use crate::error::Failure;
use crate::yard::YardDir;
use emberyard_client::{ApiError, Client};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a yard's operator may take to bring the definitions of its resources, just after the first start.
const DEFINED: Duration = Duration::from_secs(20);

/// As administrator, from the machine's side.
pub async fn admin(dir: &YardDir) -> Result<Client, Failure> {
    let path = dir.kubeconfig();
    if !path.exists() {
        return Err(Failure::NoYard(dir.path().to_path_buf()));
    }
    Client::from_kubeconfig(&path).await.map_err(|error| Failure::Api(error.to_string()))
}

/// API errors as failures of this program.
pub fn api(error: ApiError) -> Failure {
    Failure::Api(error.to_string())
}

/// What became of a resource that was to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    New,
    /// It was there, and is as it was.
    Before,
}

/// Makes an object of a resource of ours in its collection, waiting for the resource's definition; one of that name may
/// be there already.
pub async fn make(client: &Client, collection: &str, object: &Value) -> Result<Made, Failure> {
    let start = Instant::now();
    loop {
        match client.create(collection, object).await {
            Ok(_) => return Ok(Made::New),
            Err(error) if error.is_already_exists() => return Ok(Made::Before),
            Err(error) if error.is_not_found() && start.elapsed() < DEFINED => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(api(error)),
        }
    }
}
