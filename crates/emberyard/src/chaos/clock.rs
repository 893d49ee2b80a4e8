//! Everything of the yard stands still, and its clock is an hour further when it goes on. The monotonic clock, by which
//! processes wait, stands still in that time, as it does while a laptop is closed. Spark, Jupyter and the records of
//! containers keep the machine's time.

use super::Scene;
use super::linger::Frozen;
use crate::machine;
use crate::yard::clock;
use emberyard_model::Timestamp;
use emberyard_sim::Strike;
use serde_json::Value;
use std::time::{Duration, Instant};

const JUMP: Duration = Duration::from_hours(1);
/// Leases are renewed each few seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Leases of nodes by their agents, and of the operator.
const LEASES: [&str; 2] = ["kube-node-lease", "kube-system"];

/// Jumps, and sees that agents and operator have seen it.
pub async fn strike(scene: &Scene, strike: &Strike) -> Result<String, String> {
    let frozen = Frozen::freeze(&scene.dir)?;
    let ahead = clock::put_ahead(&scene.dir, JUMP).map_err(|error| format!("the clock can't be set: {error}"))?;
    tokio::time::sleep(strike.lasts()).await;
    let (count, woken) = (frozen.count(), Instant::now());
    drop(frozen);
    loop {
        let seen = all_see(scene, ahead).await;
        if seen.is_ok() || woken.elapsed() > PATIENCE {
            return seen.map(|()| format!("{count} processes for {} ms, {} h ahead", strike.lasts_ms, hours(ahead)));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn hours(ahead: Duration) -> u64 {
    ahead.as_secs() / JUMP.as_secs()
}

/// Every lease was renewed by the new time.
async fn all_see(scene: &Scene, ahead: Duration) -> Result<(), String> {
    // Before the jump no clock of the yard showed more than this.
    let before = machine::now().plus(ahead.saturating_sub(JUMP));
    for namespace in LEASES {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let leases = scene.stage.client().list(&path, &[]).await.map_err(|error| error.to_string())?.0;
        if let Some(lease) = leases.iter().find(|lease| renewed(lease).is_none_or(|at| at <= before)) {
            let name = lease["metadata"]["name"].as_str().unwrap_or_default();
            return Err(format!("{name} was not renewed with the new time"));
        }
    }
    Ok(())
}

fn renewed(lease: &Value) -> Option<Timestamp> {
    Timestamp::parse(lease["spec"]["renewTime"].as_str()?).ok()
}
