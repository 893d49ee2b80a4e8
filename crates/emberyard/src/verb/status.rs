//! `status`: nodes, notebooks, sessions and addresses.

use crate::api::admin;
use crate::cli::Form;
use crate::error::Failure;
use crate::output;
use crate::session;
use crate::yard::versions::PROGRAM;
use crate::yard::{Settings, YardDir};
use emberyard_client::path;
use emberyard_model::hdfs::HDFS_CLUSTERS;
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_model::{Condition, HdfsPhase, HdfsStatus, SessionStatus};
use emberyard_object::view::NodeView;
use emberyard_operator::hdfs::CANARY;
use serde::Serialize;
use serde_json::Value;

/// What `status -o json` prints; other tools build on these names.
#[derive(Debug, Serialize)]
struct Status {
    api_url: String,
    gateway_url: String,
    /// The read-only page of the yard, its token included; none until the gateway has made it.
    overview_url: Option<String>,
    mode: String,
    /// Of the program that keeps the yard; empty from one that did not tell yet.
    version: String,
    kubeconfig: String,
    nodes: Vec<Node>,
    notebooks: Vec<Notebook>,
    sessions: Vec<Session>,
    hdfs: Vec<Hdfs>,
    /// What had to give way to the machine's memory.
    less: Option<String>,
}

/// A node, as the API and the keeper know it.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    pub name: String,
    pub ip: String,
    pub phase: String,
    pub pods: usize,
    pub cpu: String,
    pub memory: String,
}

#[derive(Debug, Serialize)]
struct Notebook {
    name: String,
    namespace: String,
    phase: String,
    url: Option<String>,
}

/// One Spark application of a notebook.
#[derive(Debug, Serialize)]
struct Session {
    namespace: String,
    notebook: String,
    #[serde(flatten)]
    status: SessionStatus,
}

/// One HDFS.
#[derive(Debug, Serialize)]
struct Hdfs {
    namespace: String,
    name: String,
    #[serde(flatten)]
    status: HdfsStatus,
}

/// Runs the verb.
pub async fn run(dir: &YardDir, form: Form) -> Result<(), Failure> {
    let status = gather(dir).await?;
    match form {
        Form::Json | Form::Yaml => Ok(output::structured(form, &status)?),
        Form::Table | Form::Wide => Ok(output::raw(&page(&status))?),
    }
}

/// The fleet's nodes.
pub async fn nodes(dir: &YardDir) -> Result<Vec<Node>, Failure> {
    let keeper = super::up::running(dir).ok_or_else(|| Failure::NoYard(dir.path().to_path_buf()))?;
    let client = admin(dir).await?;
    let api = |error: emberyard_client::ApiError| Failure::Api(error.to_string());
    let (known, _) = client.list("/api/v1/nodes", &[]).await.map_err(api)?;
    let (pods, _) = client.list("/api/v1/pods", &[]).await.map_err(api)?;
    let node = |held: &crate::keeper::protocol::NodeStatus| {
        let name = held.name.to_string();
        let object = known.iter().find(|object| object["metadata"]["name"] == name.as_str());
        let phase = match (held.phase, object.map(|node| NodeView(node).is_ready())) {
            (crate::keeper::protocol::NodePhase::Running, Some(true)) => "ready",
            (crate::keeper::protocol::NodePhase::Dead, _) => "dead",
            _ => "booting",
        };
        let capacity =
            |key: &str| object.and_then(|object| object["status"]["capacity"][key].as_str()).unwrap_or("").to_owned();
        Node {
            ip: held.ip.to_string(),
            phase: phase.to_owned(),
            pods: pods.iter().filter(|pod| pod["spec"]["nodeName"] == name.as_str()).count(),
            cpu: capacity("cpu"),
            memory: capacity("memory"),
            name,
        }
    };
    Ok(keeper.nodes.iter().map(node).collect())
}

async fn gather(dir: &YardDir) -> Result<Status, Failure> {
    let keeper = super::up::running(dir).ok_or_else(|| Failure::NoYard(dir.path().to_path_buf()))?;
    let client = admin(dir).await?;
    let api = |error: emberyard_client::ApiError| Failure::Api(error.to_string());
    let (books, _) = client.list("/apis/emberyard.dev/v1alpha1/notebooks", &[]).await.map_err(api)?;
    let (clusters, _) = client.list(&path(GROUP, VERSION, "", HDFS_CLUSTERS, ""), &[]).await.map_err(api)?;
    let settings = Settings::load(dir)?;
    let less = settings.as_ref().and_then(Settings::gave_way);
    let gateway_port = settings.map_or(keeper.gateway_port, |settings| settings.gateway_port);
    Ok(Status {
        api_url: format!("https://127.0.0.1:{}", keeper.api_port),
        gateway_url: format!("http://127.0.0.1:{gateway_port}"),
        overview_url: session::overview_link(&client, gateway_port).await?,
        mode: keeper.mode,
        version: keeper.version,
        kubeconfig: dir.kubeconfig().display().to_string(),
        nodes: nodes(dir).await?,
        notebooks: books.iter().map(notebook).collect(),
        sessions: books.iter().flat_map(sessions).collect(),
        hdfs: clusters.iter().map(hdfs).collect(),
        less,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

fn notebook(object: &Value) -> Notebook {
    Notebook {
        name: text(&object["metadata"]["name"]),
        namespace: text(&object["metadata"]["namespace"]),
        phase: text(&object["status"]["phase"]),
        url: object["status"]["url"].as_str().map(str::to_owned),
    }
}

fn hdfs(object: &Value) -> Hdfs {
    Hdfs {
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
        status: HdfsStatus::of(object),
    }
}

fn sessions(notebook: &Value) -> Vec<Session> {
    // Sessions in another program's form are not shown.
    let known: Vec<SessionStatus> = serde_json::from_value(notebook["status"]["sessions"].clone()).unwrap_or_default();
    let of_notebook = |status| Session {
        namespace: text(&notebook["metadata"]["namespace"]),
        notebook: text(&notebook["metadata"]["name"]),
        status,
    };
    known.into_iter().map(of_notebook).collect()
}

fn page(status: &Status) -> String {
    use std::fmt::Write as _;
    let mut page = format!(
        "API      {}   (kubeconfig: {})\ngateway  {}\nmode     {}\n",
        status.api_url, status.kubeconfig, status.gateway_url, status.mode
    );
    if let Some(less) = &status.less {
        let _ = writeln!(page, "memory   {less}");
    }
    if let Some(overview) = &status.overview_url {
        let _ = writeln!(page, "overview {overview}");
    }
    let version = if status.version.is_empty() { "not told (an early one)" } else { &status.version };
    let other = format!("   (this program is {PROGRAM}: `emberyard up` takes the yard over)");
    let _ = writeln!(page, "version  {version}{}", if version == PROGRAM { "" } else { &other });
    for node in &status.nodes {
        let _ = writeln!(
            page,
            "node     {} {} {} pods, {} CPU, {}",
            node.name, node.phase, node.pods, node.cpu, node.memory
        );
    }
    for notebook in &status.notebooks {
        let _ = writeln!(
            page,
            "notebook {}/{} {} {}",
            notebook.namespace,
            notebook.name,
            notebook.phase,
            notebook.url.as_deref().unwrap_or("")
        );
    }
    for Session { namespace, notebook, status } in &status.sessions {
        let _ = writeln!(
            page,
            "session  {namespace}/{notebook} {} executors: {} running, {} waiting",
            status.application,
            status.running,
            status.waiting_count()
        );
        for line in status.sentences() {
            let _ = writeln!(page, "         {line}");
        }
    }
    for Hdfs { namespace, name, status } in &status.hdfs {
        let (url, active) = (status.url.as_deref().unwrap_or(""), status.active.as_deref().unwrap_or("none"));
        let _ = writeln!(page, "hdfs     {namespace}/{name} {:?} {url} active: {active}", status.phase);
        // Where all is well, how long clients waited nevertheless, and what is not as it could be.
        let is_told =
            |one: &&Condition| status.phase != HdfsPhase::Ready || one.status == "False" || one.kind == CANARY;
        for condition in status.conditions.iter().filter(is_told) {
            let _ = writeln!(page, "         {}", condition.message);
        }
    }
    page
}
