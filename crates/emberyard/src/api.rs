//! Clients of the yard's own API.

use crate::error::Failure;
use crate::yard::YardDir;
use emberyard_client::Client;

/// As administrator, from the machine's side.
pub async fn admin(dir: &YardDir) -> Result<Client, Failure> {
    let path = dir.kubeconfig();
    if !path.exists() {
        return Err(Failure::NoYard(dir.path().to_path_buf()));
    }
    Client::from_kubeconfig(&path).await.map_err(|error| Failure::Api(error.to_string()))
}
