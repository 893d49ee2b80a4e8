//! `hdfs`: create, list, status, delete.

use crate::api::{admin, api, make};
use crate::cli::{Form, HdfsCreate, HdfsDelete, HdfsTarget, HdfsVerb, Racks};
use crate::error::Failure;
use crate::output::{self, Listing};
use crate::progress::Step;
use crate::verb::image;
use crate::yard::{Settings, YardDir};
use emberyard_client::{Client, path};
use emberyard_model::hdfs::{HDFS_CLUSTERS, HDFS_KIND, HDFS_LABEL};
use emberyard_model::notebook::{GROUP, VERSION};
use emberyard_model::{HdfsPhase, HdfsRacks, HdfsSpec, HdfsStatus};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Its image.
const IMAGE: &str = "hdfs";
/// Nodes may have to be added, and fourteen JVMs start.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs the verb.
pub async fn run(dir: &YardDir, verb: &HdfsVerb, form: Form) -> Result<(), Failure> {
    let client = admin(dir).await?;
    match verb {
        HdfsVerb::Create(arguments) => create(dir, &client, arguments).await,
        HdfsVerb::List => list(&client, form).await,
        HdfsVerb::Status(target) => {
            let object = client.get(&of(target), &[]).await.map_err(api)?;
            Ok(output::listing(form, &Parts { status: HdfsStatus::of(&object) })?)
        }
        HdfsVerb::Delete(arguments) => delete(&client, arguments).await,
    }
}

fn of(target: &HdfsTarget) -> String {
    path(GROUP, VERSION, target.namespace.as_str(), HDFS_CLUSTERS, target.name.as_str())
}

async fn create(dir: &YardDir, client: &Client, arguments: &HdfsCreate) -> Result<(), Failure> {
    let HdfsCreate { target, name_nodes, data_nodes, disks, racks, client_namespaces, replication } = arguments;
    let spec = HdfsSpec {
        name_nodes: *name_nodes,
        data_nodes: *data_nodes,
        disks: *disks,
        racks: racks.map(|racks| match racks {
            Racks::Node => HdfsRacks::Node,
            Racks::Zone => HdfsRacks::Zone,
        }),
        client_namespaces: client_namespaces.iter().map(|one| one.as_str().to_owned()).collect(),
        replication: *replication,
        ..HdfsSpec::default()
    };
    let status = ensure(dir, client, target, &spec).await?;
    Ok(output::line(status.url.as_deref().unwrap_or_default())?)
}

/// What is said of one; none if there is none of this name.
pub async fn status(client: &Client, target: &HdfsTarget) -> Result<Option<HdfsStatus>, Failure> {
    let found = client.find(&of(target)).await.map_err(api)?;
    Ok(found.as_ref().map(HdfsStatus::of))
}

/// Makes one, if there is none of this name, and waits until it serves.
pub async fn ensure(
    dir: &YardDir,
    client: &Client,
    target: &HdfsTarget,
    spec: &HdfsSpec,
) -> Result<HdfsStatus, Failure> {
    if let Some(settings) = Settings::load(dir)? {
        image::ensure_one(dir, &settings, IMAGE).await?;
    }
    let object = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": HDFS_KIND,
        "metadata": {"name": target.name.as_str(), "namespace": target.namespace.as_str()}, "spec": spec,
    });
    let collection = path(GROUP, VERSION, target.namespace.as_str(), HDFS_CLUSTERS, "");
    make(client, &collection, &object).await?;
    let there = client.get(&of(target), &[]).await.map_err(api)?;
    if serde_json::from_value(there["spec"].clone()).is_ok_and(|has: HdfsSpec| !has.agrees(spec)) {
        let name = target.name.as_str().to_owned();
        let why = format!(
            "it is there already, with another spec; `kubectl edit hdfscluster {name}` changes what can be changed"
        );
        return Err(Failure::Hdfs { name, why });
    }
    wait(client, target).await
}

/// Waits until it can be read and written.
async fn wait(client: &Client, target: &HdfsTarget) -> Result<HdfsStatus, Failure> {
    let name = target.name.as_str();
    let mut step = Step::begin(format!("HDFS {name}"));
    let start = Instant::now();
    let mut said = "nothing was heard of it".to_owned();
    while start.elapsed() < PATIENCE {
        let object = client.get(&of(target), &[]).await.map_err(api)?;
        let status = HdfsStatus::of(&object);
        if let Some(condition) = status.conditions.first() {
            said.clone_from(&condition.message);
        }
        match status.phase {
            HdfsPhase::Ready => {
                step.done(&format!("HDFS {name} serves"));
                return Ok(status);
            }
            HdfsPhase::Invalid => break,
            HdfsPhase::Pending | HdfsPhase::Degraded => step.update(&format!("HDFS {name}: {said}")),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Failure::Hdfs { name: name.to_owned(), why: said })
}

/// Deletes one, and its volumes if that is asked for.
pub async fn delete(client: &Client, arguments: &HdfsDelete) -> Result<(), Failure> {
    let target = &arguments.target;
    client.delete(&of(target)).await.map_err(api)?;
    if arguments.volumes {
        let namespace = target.namespace.as_str();
        let selector = format!("{HDFS_LABEL}={}", target.name.as_str());
        for resource in ["persistentvolumeclaims", "configmaps"] {
            let (objects, _) = client
                .list(&path("", "v1", namespace, resource, ""), &[("labelSelector", &selector)])
                .await
                .map_err(api)?;
            for object in objects {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                match client.delete(&path("", "v1", namespace, resource, name)).await {
                    Err(error) if !error.is_not_found() => return Err(api(error)),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Clusters {
    items: Vec<Cluster>,
}

#[derive(Debug, Serialize)]
struct Cluster {
    namespace: String,
    name: String,
    phase: HdfsPhase,
    url: String,
    active: String,
}

impl Listing for Clusters {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["NAMESPACE", "NAME", "PHASE", "URL", "ACTIVE"], 5)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |one: &Cluster| {
            let phase = format!("{:?}", one.phase);
            vec![one.namespace.clone(), one.name.clone(), phase, one.url.clone(), one.active.clone()]
        };
        self.items.iter().map(row).collect()
    }
}

async fn list(client: &Client, form: Form) -> Result<(), Failure> {
    let (objects, _) = client.list(&path(GROUP, VERSION, "", HDFS_CLUSTERS, ""), &[]).await.map_err(api)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = objects.iter().map(|object| {
        let HdfsStatus { phase, url, active, .. } = HdfsStatus::of(object);
        Cluster {
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
            phase,
            url: url.unwrap_or_default(),
            active: active.unwrap_or_default(),
        }
    });
    Ok(output::listing(form, &Clusters { items: items.collect() })?)
}

/// One HDFS in detail.
#[derive(Debug, Serialize)]
struct Parts {
    #[serde(flatten)]
    status: HdfsStatus,
}

impl Listing for Parts {
    fn columns(&self) -> (&'static [&'static str], usize) {
        (&["PART", "READY", "WANTED"], 3)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row =
            |part: &emberyard_model::HdfsPart| vec![part.name.clone(), part.ready.to_string(), part.wanted.to_string()];
        self.status.parts.iter().map(row).collect()
    }
}
