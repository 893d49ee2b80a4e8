//! Carries one fault out, to its end. Says who or what was struck, or why nothing could be.

use super::find::{Found, is_java, is_worker, number, parent};
use super::linger::{Cut, Frozen};
use super::{Scene, hdfs};
use crate::keeper::children::Role;
use crate::keeper::protocol::{Answer, Ask, NodeStatus, ask};
use emberyard_model::NodeName;
use emberyard_sandbox::ProcessId;
use emberyard_sim::{Fault, Strike};
use std::time::Duration;

/// Strikes; `kernel` is the id of the kernel whose job runs.
pub async fn strike(scene: &Scene, strike: &Strike, kernel: &str) -> Result<String, String> {
    match strike.fault {
        Fault::Executor => {
            let (executor, processes) = scene.in_executor(strike, is_java).await?;
            kill(&processes)?;
            Ok(format!("JVM of {} on {}", short(&executor.name), executor.node))
        }
        Fault::ExecutorPod => {
            let (executor, _) = scene.in_executor(strike, is_java).await?;
            scene.stage.delete_pod(&executor.name).await.map_err(|failure| failure.to_string())?;
            Ok(format!("{} on {}", short(&executor.name), executor.node))
        }
        Fault::PythonWorker => {
            let (executor, processes) = scene.in_executor(strike, is_worker).await?;
            kill(&processes)?;
            Ok(format!("{} Python processes of {}", processes.len(), short(&executor.name)))
        }
        Fault::Kernel => {
            let process = kernel_process(&scene.notebook_pod().await?, kernel)?;
            kill(std::slice::from_ref(&process))?;
            Ok(format!("process {}", process.pid))
        }
        Fault::DriverJvm => {
            let pod = scene.notebook_pod().await?;
            let kernel = kernel_process(&pod, kernel)?;
            let mut drivers = pod.processes(is_java);
            drivers.retain(|java| parent(java) == Some(kernel.pid));
            kill(&drivers)?;
            Ok(format!("{} processes", drivers.len()))
        }
        Fault::NotebookPod => {
            let pod = scene.notebook_pod().await?;
            kill(std::slice::from_ref(pod.sandbox.supervisor()))?;
            Ok(format!("supervisor of {} on {}", pod.name, pod.node))
        }
        Fault::NotebookPodDeleted => {
            let pod = scene.notebook_pod().await?;
            scene.stage.delete_pod(&pod.name).await.map_err(|failure| failure.to_string())?;
            Ok(format!("{} on {}", pod.name, pod.node))
        }
        Fault::Agent => {
            let nodes = scene.nodes()?;
            let node = strike.choose(&nodes).ok_or("no node runs")?;
            kill(&[scene.child(&Role::Agent(node.name.clone()))?])?;
            Ok(node.name.to_string())
        }
        Fault::Node => {
            let home = scene.notebook_pod().await?.node;
            let others: Vec<NodeStatus> = scene.nodes()?.into_iter().filter(|node| node.name != home).collect();
            kill_node(scene, &strike.choose(&others).ok_or("only the notebook's node runs")?.name)
        }
        Fault::NotebookNode => kill_node(scene, &scene.notebook_pod().await?.node),
        Fault::Keeper => {
            let keeper = keeper(scene)?;
            kill(std::slice::from_ref(&keeper))?;
            up(scene).await?;
            Ok(format!("process {}", keeper.pid))
        }
        Fault::ControlPlane => kill_child(scene, &Role::Api),
        Fault::Operator => kill_child(scene, &Role::Operator),
        Fault::Everything => {
            let mut all = vec![keeper(scene)?, scene.child(&Role::Api)?, scene.child(&Role::Operator)?];
            for node in scene.nodes()? {
                all.extend(scene.child(&Role::Agent(node.name)));
            }
            kill(&all)?;
            up(scene).await?;
            Ok(format!("{} processes", all.len()))
        }
        Fault::Link => {
            let numbers = numbers(scene)?;
            let pairs: Vec<(u8, u8)> =
                numbers.iter().flat_map(|a| numbers.iter().filter(move |b| a < b).map(move |b| (*a, *b))).collect();
            let (a, b) = *strike.choose(&pairs).ok_or("there are no two nodes")?;
            let cut = Cut::between(&scene.dir, a, b)?;
            tokio::time::sleep(strike.lasts()).await;
            cut.mend()?;
            Ok(format!("node-{a} and node-{b} for {} ms", strike.lasts_ms))
        }
        Fault::Cable => {
            let numbers = numbers(scene)?;
            let node = *strike.choose(&numbers).ok_or("no node runs")?;
            let cut = Cut::around(&scene.dir, node)?;
            tokio::time::sleep(strike.lasts()).await;
            cut.mend()?;
            Ok(format!("node-{node} for {} ms", strike.lasts_ms))
        }
        Fault::Freeze | Fault::LongFreeze => {
            let frozen = Frozen::freeze(&scene.dir)?;
            tokio::time::sleep(strike.lasts()).await;
            Ok(format!("{} processes for {} ms", frozen.count(), strike.lasts_ms))
        }
        Fault::ClockJump => super::clock::strike(scene, strike).await,
        Fault::DiskFull => super::full::strike(scene, strike).await,
        Fault::VolumeFull => super::volume::strike(scene, strike).await,
        Fault::Restart => {
            let dir = scene.dir.path().to_path_buf();
            let swept = tokio::task::spawn_blocking(move || emberyard_sandbox::sweep(&dir)).await;
            let count = swept.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            up(scene).await?;
            Ok(format!("{count} processes"))
        }
        _ => hdfs::strike::strike(scene, scene.hdfs.as_ref().ok_or("there is no HDFS")?, strike).await,
    }
}

/// All signals first, then the waiting: nobody sees the others die and has time to act.
pub(super) fn kill(processes: &[ProcessId]) -> Result<(), String> {
    if processes.is_empty() {
        return Err("there was no such process".to_owned());
    }
    let signal = rustix::process::Signal::KILL.as_raw();
    processes.iter().try_for_each(|process| process.signal(signal)).map_err(|error| error.to_string())?;
    processes.iter().try_for_each(ProcessId::kill).map_err(|error| error.to_string())
}

fn kill_child(scene: &Scene, role: &Role) -> Result<String, String> {
    let process = scene.child(role)?;
    kill(std::slice::from_ref(&process))?;
    Ok(format!("process {}", process.pid))
}

/// Kills a node with all that runs on it.
pub(super) fn kill_node(scene: &Scene, name: &NodeName) -> Result<String, String> {
    let question = Ask::NodeKill { name: name.clone() };
    match ask(&scene.dir.keeper_socket(), &question, Duration::from_secs(20)) {
        Ok(Answer::Done) => Ok(name.to_string()),
        Ok(Answer::Refused { why }) => Err(why),
        Ok(_) => Err("the keeper answered another question".to_owned()),
        Err(error) => Err(format!("the keeper does not answer: {error}")),
    }
}

fn keeper(scene: &Scene) -> Result<ProcessId, String> {
    let pid = i32::try_from(scene.status()?.keeper_pid).map_err(|error| error.to_string())?;
    ProcessId::of(pid).map_err(|error| error.to_string())
}

async fn up(scene: &Scene) -> Result<(), String> {
    let up = crate::verb::up::bring_up(&scene.dir, &scene.up).await;
    up.map(drop).map_err(|failure| format!("`up` did not bring it back: {failure}"))
}

/// The numbers of the nodes that run.
fn numbers(scene: &Scene) -> Result<Vec<u8>, String> {
    Ok(scene.nodes()?.iter().map(number).collect())
}

fn kernel_process(pod: &Found, kernel: &str) -> Result<ProcessId, String> {
    let mut processes = pod.processes(|line| line.iter().any(|word| word.contains(kernel)));
    processes.pop().ok_or_else(|| format!("kernel {kernel} has no process"))
}

/// The end of an executor's name: the rest is the same for all of an application.
fn short(name: &str) -> &str {
    name.rfind("-exec-").map_or(name, |place| &name[place + 1..])
}
