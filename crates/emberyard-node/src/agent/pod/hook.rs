//! Life-cycle hooks: a program in the container, a web request, or a pause.

use super::probe;
use emberyard_pod::spec::{Container, Handler};
use emberyard_sandbox::PodSandbox;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Runs a hook to its end, for at most `within`.
pub(super) async fn run(
    handler: &Handler,
    container: &Container,
    sandbox: &PodSandbox,
    pod_ip: Ipv4Addr,
    within: Duration,
) -> Result<(), String> {
    match &handler.sleep {
        Some(sleep) => {
            tokio::time::sleep(Duration::from_secs(sleep.seconds).min(within)).await;
            Ok(())
        }
        None => probe::run(handler, container, sandbox, pod_ip, within).await,
    }
}
