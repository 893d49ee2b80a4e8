//! Growing and shrinking: more executors than two nodes hold (ten where memory allows), then none.

use super::{Played, Stage, check, context};
use crate::error::Failure;
use std::time::{Duration, Instant};

/// Removal happens within this of a node being empty.
const REMOVAL: Duration = Duration::from_secs(30);

/// Plays it.
pub async fn play(stage: &Stage, steps: &mut Played, wanted: u32) -> Result<(), Failure> {
    let before = stage.ready_nodes().await?;
    steps.good("nodes", &before.join(", "));

    let mut kernel = stage.kernel().await?;
    let step = format!("{wanted} executors");
    stage.cell(&mut kernel, &step, &context(wanted)).await?;
    let start = Instant::now();
    let executors = loop {
        let executors = stage.executors().await?;
        if executors.len() == wanted as usize || start.elapsed() > Duration::from_secs(180) {
            break executors;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    check(&step, executors.len() == wanted as usize, || format!("{} of {wanted} executors run", executors.len()))?;
    let grown = stage.ready_nodes().await?;
    check("nodes added", grown.len() > before.len(), || format!("there are still {} nodes", grown.len()))?;
    steps.good(&step, &format!("all run, on {} nodes", grown.len()));

    let sum = stage.cell(&mut kernel, "sum", "sc.parallelize(range(100000000)).sum()").await?;
    check("sum", sum.trim() == "4999999950000000", || format!("4999999950000000 was expected, {sum:?} came"))?;
    steps.good("sum", sum.trim());

    stage.cell(&mut kernel, "stop", "sc.stop()").await?;
    drop(kernel.close().await);
    stage.nothing_left("stop", Duration::from_secs(20)).await?;
    let empty = Instant::now();
    let shrunk = loop {
        let nodes = stage.ready_nodes().await?;
        if nodes.len() <= before.len() || empty.elapsed() > REMOVAL {
            break nodes;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    check("nodes removed", shrunk.len() <= before.len(), || {
        format!("after {} s there are still {} nodes", REMOVAL.as_secs(), shrunk.len())
    })?;
    steps.good("nodes removed", &format!("{} are left", shrunk.len()));
    Ok(())
}
