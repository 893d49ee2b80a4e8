//! Whether everything of the yard works.

use super::{PATIENCE, Scene, hdfs, until};
use crate::keeper::children::Role;
use crate::keeper::protocol::{NodePhase, Stage};
use emberyard_front::kernel::Jupyter;
use emberyard_sim::{Fault, Promise, Took};
use std::time::{Duration, Instant};

/// What jobs of a rehearsal ask for.
const EXECUTORS: usize = 2;
/// How much later than promised is still looked at, to be told.
const LATE: Duration = Duration::from_secs(30);

/// Waits until all works; with executors where a session is to live on, with the HDFS where that was struck.
pub async fn wait(scene: &Scene, fault: Fault, since: Instant) -> Took {
    let session_lives = fault.promise() == Promise::Answer;
    let struck = scene.hdfs.as_ref().filter(|_| fault.is_of_hdfs());
    until(since, PATIENCE.max(fault.healthy_within() + LATE), async || {
        processes(scene)?;
        nodes(scene).await?;
        notebook(scene).await?;
        if let Some(hdfs) = struck {
            hdfs::serves(scene, hdfs).await?;
        }
        if session_lives { executors(scene).await } else { Ok(()) }
    })
    .await
}

/// Keeper, control plane, operator, and an agent for each node.
fn processes(scene: &Scene) -> Result<(), String> {
    let status = scene.status()?;
    if status.stage != Stage::Running {
        return Err(format!("the keeper is {:?}", status.stage));
    }
    scene.child(&Role::Api)?;
    scene.child(&Role::Operator)?;
    for node in status.nodes {
        if node.phase != NodePhase::Running {
            return Err(format!("{} is not running", node.name));
        }
        scene.child(&Role::Agent(node.name))?;
    }
    Ok(())
}

/// The keeper's nodes are the API's, all ready, and not fewer than the yard's floor.
async fn nodes(scene: &Scene) -> Result<(), String> {
    let mut ready = scene.stage.ready_nodes().await.map_err(|failure| failure.to_string())?;
    let mut run: Vec<String> = scene.nodes()?.iter().map(|node| node.name.to_string()).collect();
    ready.sort();
    run.sort();
    let least = scene.least_nodes();
    if ready == run && run.len() >= least {
        return Ok(());
    }
    Err(format!("ready are {ready:?}, running {run:?}, at least {least} should"))
}

/// The notebook's server answers, and from a pod that stays: one that was deleted answers until it has ended.
async fn notebook(scene: &Scene) -> Result<(), String> {
    scene.notebook_pod().await?;
    let link = scene.stage.link().await.map_err(|failure| failure.to_string())?;
    let jupyter = Jupyter::from_link(&link).map_err(|error| error.to_string())?;
    if jupyter.answers().await { Ok(()) } else { Err("the notebook does not answer".to_owned()) }
}

async fn executors(scene: &Scene) -> Result<(), String> {
    let running = scene.executors().await?;
    if running.len() == EXECUTORS {
        return Ok(());
    }
    Err(format!("{} of {EXECUTORS} executors run", running.len()))
}

impl Scene {
    fn least_nodes(&self) -> usize {
        let settings = crate::yard::Settings::load(&self.dir).ok().flatten();
        settings.map_or(0, |settings| settings.fleet.min as usize)
    }
}
