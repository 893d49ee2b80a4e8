//! HDFS: made, looked at, written and read by Spark, killed as a whole, and found again.

use super::{Played, Stage, check};
use crate::api::api;
use crate::cli::{HdfsDelete, HdfsTarget};
use crate::error::Failure;
use crate::verb::hdfs as verb;
use crate::yard::YardDir;
use emberyard_front::kernel::Kernel;
use emberyard_model::hdfs::NAME_NODE_WEB_PORT;
use emberyard_model::{HdfsPhase, HdfsSpec, ObjectName};
use std::time::{Duration, Instant};

const NAME: &str = "my-hdfs";
/// A file of the demo's own: the tutorial's may be there already.
const FILE: &str = "hdfs://my-hdfs/user/hdfs/test/demo.csv";
/// What two parts of the tutorial's rows take.
const PARTS: &str = "[78333335, 85000000]";
const ROWS: &str = "10000000";
/// All pods start again within this.
const BACK: Duration = Duration::from_mins(3);

/// Plays it, on the HDFS there is or on one that goes afterwards.
pub async fn play(dir: &YardDir, stage: &Stage, steps: &mut Played) -> Result<(), Failure> {
    let name = ObjectName::new(NAME).map_err(|error| Failure::Usage(error.to_string()))?;
    let target = HdfsTarget { name, namespace: stage.notebook().namespace.clone() };
    let was_there = verb::status(stage.client(), &target).await?.is_some();
    let status = verb::ensure(dir, stage.client(), &target, &HdfsSpec::default()).await?;
    steps.good("HDFS", &format!("{} can be written", status.url.unwrap_or_default()));
    let played = on(stage, steps, &target).await;
    if !was_there {
        verb::delete(stage.client(), &HdfsDelete { target, volumes: true }).await?;
    }
    played
}

async fn on(stage: &Stage, steps: &mut Played, target: &HdfsTarget) -> Result<(), Failure> {
    let page = answer(stage, &format!("services/{NAME}-namenode:50070"), "dfshealth.html").await?;
    check("web page", page.contains("Namenode information"), || format!("it begins with {page:.80}"))?;
    steps.good("web page", "the NameNode's, through its service");
    let states = states(stage).await?;
    let one_each = states.iter().any(|state| state == "active") && states.iter().any(|state| state == "standby");
    check("NameNodes", one_each, || format!("an active and a standby one were expected, they are {states:?}"))?;
    steps.good("NameNodes", &states.join(", "));

    let mut kernel = stage.kernel().await?;
    stage.cell(&mut kernel, "session", include_str!("hdfs.py")).await?;
    let write = format!(
        "df = spark.createDataFrame(sc.parallelize(range({ROWS}), 2).map(lambda i: ((i, i * 2))))\n\
         df.write.mode('overwrite').csv('{FILE}')\nlengths('{FILE}')"
    );
    let lengths = stage.cell(&mut kernel, "write", &write).await?;
    check("write", lengths.trim() == PARTS, || format!("parts of {PARTS} bytes were expected, there are {lengths}"))?;
    steps.good("write", &format!("parts of {} bytes", lengths.trim()));
    read(stage, &mut kernel, "read").await?;
    let local = stage.cell(&mut kernel, "locality", "'%d of %d' % local_share()").await?;
    steps.good("read", &format!("{ROWS} rows; tasks on the node of their block: {}", local.trim().trim_matches('\'')));

    let killed = kill(stage).await?;
    serves(stage, target).await?;
    read(stage, &mut kernel, "read again").await?;
    steps.good("read again", &format!("{ROWS} rows, after all {killed} pods were killed"));
    stage.cell(&mut kernel, "stop", "spark.stop()").await?;
    drop(kernel.close().await);
    stage.nothing_left("stop", Duration::from_secs(20)).await?;
    steps.good("stop", "nothing of the session is left");
    Ok(())
}

async fn read(stage: &Stage, kernel: &mut Kernel, step: &str) -> Result<(), Failure> {
    let count = stage.cell(kernel, step, &format!("spark.read.csv('{FILE}').count()")).await?;
    check(step, count.trim() == ROWS, || format!("{ROWS} rows were expected, {count:?} came"))
}

/// The states of both NameNodes, as they say it themselves.
async fn states(stage: &Stage) -> Result<Vec<String>, Failure> {
    let mut states = Vec::new();
    for number in 0..2 {
        let pod = format!("pods/{NAME}-namenode-{number}:{NAME_NODE_WEB_PORT}");
        let beans = answer(stage, &pod, "jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus").await?;
        let beans: serde_json::Value = serde_json::from_str(&beans).unwrap_or_default();
        states.push(beans["beans"][0]["State"].as_str().unwrap_or("silent").to_owned());
    }
    Ok(states)
}

/// What a pod or service answers through the API server.
async fn answer(stage: &Stage, whom: &str, path: &str) -> Result<String, Failure> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query: Vec<(&str, &str)> = query.split_once('=').into_iter().collect();
    let path = format!("/api/v1/namespaces/{}/{whom}/proxy/{path}", stage.notebook().namespace);
    let bytes = stage.client().get_bytes(&path, &query).await.map_err(api)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Deletes all pods of the HDFS without letting them end in their own way.
async fn kill(stage: &Stage) -> Result<usize, Failure> {
    let pods = stage.list("pods", ("labelSelector", "release=my-hdfs")).await?;
    let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
    for name in &names {
        stage.delete_pod(&format!("{name}?gracePeriodSeconds=0")).await?;
    }
    Ok(names.len())
}

/// Waits until it serves again.
async fn serves(stage: &Stage, target: &HdfsTarget) -> Result<(), Failure> {
    let begun = Instant::now();
    // What its status says right after the blow is older than it.
    let mut was_gone = false;
    loop {
        let status = verb::status(stage.client(), target).await?;
        let is_ready = status.is_some_and(|status| status.phase == HdfsPhase::Ready);
        if is_ready && was_gone {
            return Ok(());
        }
        was_gone |= !is_ready;
        check("all pods killed", begun.elapsed() < BACK, || format!("it does not serve after {} s", BACK.as_secs()))?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
