//! A node with DataNodes is drained: the budget refuses until NameNodes say that all blocks are elsewhere. NameNodes are played: they
//! have copied everything at once.

use crate::world::{World, until, without_operator};
use emberyard_client::{Client, ContentKind};
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const HDFS: &str = "/apis/emberyard.dev/v1alpha1/namespaces/default/hdfsclusters";
const PODS: &str = "/api/v1/namespaces/default/pods";
const LIST: &str = "/api/v1/namespaces/default/configmaps/emptied-excluded";

/// The page of a NameNode that knows all DataNodes' pods and has read the list this moment.
async fn page(admin: &Client, path: &str, query: &str) -> Value {
    if query.contains("NameNodeStatus") {
        return json!({"beans": [{"State": if path.contains("namenode-0:") { "active" } else { "standby" }}]});
    }
    if query.contains("FSNamesystemState") {
        return json!({"beans": [{"UnderReplicatedBlocks": 0, "PendingReconstructionBlocks": 0}]});
    }
    let listed = listed(admin).await;
    let live: serde_json::Map<String, Value> = data_nodes(admin)
        .await
        .iter()
        .filter_map(|pod| pod["status"]["podIP"].as_str())
        .map(|address| {
            let state = if listed.contains(address) { "Decommissioned" } else { "In Service" };
            let name = format!("{address}:9866");
            (name.clone(), json!({"xferaddr": name, "adminState": state}))
        })
        .collect();
    let live = Value::Object(live).to_string();
    json!({"beans": [{"Safemode": "", "NumberOfMissingBlocks": 0, "LiveNodes": live, "DeadNodes": "{}"}]})
}

async fn listed(admin: &Client) -> BTreeSet<String> {
    let list = admin.find(LIST).await.unwrap().unwrap_or_default();
    list["data"]["excluded"].as_str().unwrap_or_default().lines().map(str::to_owned).collect()
}

async fn data_nodes(admin: &Client) -> Vec<Value> {
    admin.list(PODS, &[("labelSelector", "app=hdfs-datanode")]).await.unwrap().0
}

/// An operator whose NameNodes are played.
async fn start(world: &World) {
    let (client, admin) = (world.operator_connection().await, world.admin.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, admin) = (client.clone(), admin.clone());
        async move {
            let uri = request.uri().clone();
            if !uri.path().ends_with("/proxy/jmx") {
                return client.send(request).await;
            }
            let page = page(&admin, uri.path(), uri.query().unwrap_or_default()).await;
            Ok(Response::new(Body::from(page.to_string().into_bytes())))
        }
    });
    world.start(Client::over(kube::Client::new(service, "default")));
}

/// The status of the answer to an eviction.
async fn evict(admin: &Client, name: &str) -> u16 {
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    admin.create(&format!("{PODS}/{name}/eviction"), &eviction).await.map_or_else(|error| error.status, |_| 201)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_nodes_may_be_evicted_once_they_have_handed_over() {
    let world = without_operator(3, 3).await;
    start(&world).await;
    let admin = &world.admin;
    // DataNodes that find one node only share it.
    until("nodes", async || (world.nodes().await.len() == 3).then_some(())).await;
    let cluster = json!({
        "apiVersion": "emberyard.dev/v1alpha1", "kind": "HdfsCluster",
        "metadata": {"name": "emptied"}, "spec": {"replication": 2},
    });
    until("the definition", async || admin.create(HDFS, &cluster).await.ok()).await;
    let of_this = format!("{HDFS}/emptied");
    until("a whole HDFS", async || (world.object(&of_this).await?["status"]["phase"] == "Ready").then_some(())).await;

    let pods = data_nodes(admin).await;
    let node = pods[0]["spec"]["nodeName"].as_str().unwrap();
    let there: Vec<&Value> = pods.iter().filter(|pod| pod["spec"]["nodeName"] == node).collect();
    let name = pods[0]["metadata"]["name"].as_str().unwrap();
    assert_eq!(evict(admin, name).await, 429);

    let cordon = json!({"spec": {"unschedulable": true}});
    admin.patch(&format!("/api/v1/nodes/{node}"), &cordon, ContentKind::MergePatch).await.unwrap();
    until("leave", async || (evict(admin, name).await == 201).then_some(())).await;
    let addresses: BTreeSet<&str> = there.iter().map(|pod| pod["status"]["podIP"].as_str().unwrap()).collect();
    let named = listed(admin).await;
    assert!(named.iter().all(|address| addresses.contains(address.as_str())), "{named:?} {addresses:?}");
    // Nobody else may go.
    let other = pods.iter().find(|pod| pod["spec"]["nodeName"] != node).unwrap();
    assert_eq!(evict(admin, other["metadata"]["name"].as_str().unwrap()).await, 429);

    // It comes back elsewhere under another address, and the list forgets the old one.
    until("it is back in service", async || {
        let pod = world.object(&format!("{PODS}/{name}")).await?;
        let address = pod["status"]["podIP"].as_str()?;
        let listed = listed(admin).await;
        let is_back = pod["spec"]["nodeName"] != node && !addresses.contains(address);
        (is_back && !listed.contains(address) && !listed.contains(pods[0]["status"]["podIP"].as_str()?)).then_some(())
    })
    .await;
    let free = json!({"spec": {"unschedulable": null}});
    admin.patch(&format!("/api/v1/nodes/{node}"), &free, ContentKind::MergePatch).await.unwrap();
    let nobody_is_asked = async || {
        let said = world.object(&of_this).await?["status"]["conditions"].to_string();
        (listed(admin).await.is_empty() && !said.contains("Removal")).then_some(())
    };
    until("nobody is asked", nobody_is_asked).await;

    // Fewer are wanted: the last one goes the same way, and its volume stays.
    let fewer = json!({"spec": {"dataNodes": 3}});
    admin.patch(&of_this, &fewer, ContentKind::MergePatch).await.unwrap();
    until("three are left", async || (data_nodes(admin).await.len() == 3).then_some(())).await;
    until("nobody is asked", nobody_is_asked).await;
    let claim =
        world.object("/api/v1/namespaces/default/persistentvolumeclaims/data-emptied-datanode-3").await.unwrap();
    assert_eq!(claim["metadata"]["labels"]["emberyard.dev/handed-over"], "true");
    // Each of the three may have a node now: they are started anew, one after the other.
    let nodes = async || {
        let status = world.object(&of_this).await?["status"].clone();
        let settled = status["phase"] == "Ready" && status["observedGeneration"] == 2;
        let pods = data_nodes(admin).await;
        let nodes: BTreeSet<&str> = pods.iter().filter_map(|pod| pod["spec"]["nodeName"].as_str()).collect();
        (settled && nodes.len() == 3).then_some(())
    };
    until("each has a node", nodes).await;
}
