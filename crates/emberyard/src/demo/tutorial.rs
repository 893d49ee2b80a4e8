//! The Spark part: a context, two executors, the sum, and gone again.

use super::{Played, Stage, check, context};
use crate::error::Failure;
use std::collections::BTreeSet;
use std::time::Duration;

/// Plays it.
pub async fn play(stage: &Stage, steps: &mut Played, wanted: u32) -> Result<(), Failure> {
    let nodes = stage.ready_nodes().await?;
    check("nodes", nodes.len() >= 2, || format!("two nodes were expected, ready are {nodes:?}"))?;
    steps.good("nodes", &nodes.join(", "));

    let mut kernel = stage.kernel().await?;
    stage.cell(&mut kernel, "context", &context(wanted)).await?;
    let executors = stage.executors().await?;
    check("context", executors.len() == wanted as usize, || {
        format!("{wanted} executors were expected, running are {executors:?}")
    })?;
    let places: BTreeSet<&String> = executors.iter().map(|(_, node)| node).collect();
    check("context", places.len() == wanted as usize, || format!("they share nodes: {executors:?}"))?;
    let shown: Vec<String> = executors.iter().map(|(pod, node)| format!("{pod} on {node}")).collect();
    steps.good("context", &shown.join(", "));

    let sum = stage.cell(&mut kernel, "sum", "rdd = sc.parallelize(range(100000000)); rdd.sum()").await?;
    check("sum", sum.trim() == "4999999950000000", || format!("4999999950000000 was expected, {sum:?} came"))?;
    steps.good("sum", sum.trim());

    for (pod, _) in &executors {
        let log = stage.log(pod).await?;
        check("logs", log.contains("Running task"), || format!("{pod} shows no \"Running task\""))?;
    }
    steps.good("logs", "every executor ran tasks of the job");

    stage.cell(&mut kernel, "stop", "sc.stop()").await?;
    stage.nothing_left("stop", Duration::from_secs(20)).await?;
    steps.good("stop", "no pod, ConfigMap, service or volume of the session is left");

    let zero =
        "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nspark.range(1000).count()";
    let count = stage.cell(&mut kernel, "zero configuration", zero).await?;
    check("zero configuration", count.trim() == "1000", || format!("1000 was expected, {count:?} came"))?;
    steps.good("zero configuration", "SparkSession.builder.getOrCreate() needs no settings");
    // In place of sc.stop(): the kernel ends, and Spark with it.
    drop(kernel.close().await);
    stage.nothing_left("kernel end", Duration::from_secs(20)).await?;
    steps.good("kernel end", "the same is gone when a kernel is stopped");
    Ok(())
}
