//! The operator is killed after a write that it makes for an HDFS, one write after the other: the next operator always comes to
//! what an undisturbed one makes.

use crate::world::{World, until, without_operator};
use emberyard_client::{Client, ContentKind};
use futures::StreamExt as _;
use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NAME: &str = "crashing";
const HDFS: &str = "/apis/emberyard.dev/v1alpha1/namespaces/default/hdfsclusters";
/// So many worlds live at once: most of their time is waiting.
const AT_ONCE: usize = 4;

/// How much an operator has written, and with which write it dies.
#[derive(Default)]
struct Fate {
    writes: AtomicUsize,
    last: AtomicUsize,
}

impl Fate {
    fn written(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// It dies with its write of this number from now on.
    fn dies_after(&self, more: usize) {
        self.last.store(self.written().saturating_add(more), Ordering::SeqCst);
    }

    fn is_dead(&self) -> bool {
        self.written() >= self.last.load(Ordering::SeqCst)
    }
}

/// Carries a request out. The connection is dead from the operator's last write on, whose answer it never hears.
async fn send(client: kube::Client, fate: Arc<Fate>, request: Request<Body>) -> kube::Result<Response<Body>> {
    if fate.is_dead() {
        return std::future::pending().await;
    }
    let path = request.uri().path();
    // No NameNode runs here: the first one's page is played.
    if path.ends_with("/proxy/jmx") && path.contains("namenode-0:") {
        return Ok(Response::new(Body::from(json!({"beans": [{"State": "active"}]}).to_string().into_bytes())));
    }
    if request.method() != Method::GET && (path.contains(NAME) || path.ends_with("/configmaps")) {
        fate.writes.fetch_add(1, Ordering::SeqCst);
    }
    let answer = client.send(request).await?;
    if fate.is_dead() { std::future::pending().await } else { Ok(answer) }
}

/// Starts an operator that does not die yet.
async fn start(world: &World) -> Arc<Fate> {
    let client = world.operator_connection().await;
    let fate = Arc::new(Fate::default());
    fate.dies_after(usize::MAX);
    let of_this = fate.clone();
    let service = tower::service_fn(move |request| send(client.clone(), of_this.clone(), request));
    world.start(Client::over(kube::Client::new(service, "default")));
    fate
}

/// Whether the HDFS is as its spec of this generation says.
async fn is_whole(world: &World, generation: i64) -> bool {
    let found = world.object(&format!("{HDFS}/{NAME}")).await.unwrap_or_default();
    let is = |kind: &str| {
        let conditions = found["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == kind && one["status"] == "True"))
    };
    found["status"]["observedGeneration"] == generation && is("Ready") && is("UpToDate")
}

/// Waits until the operator has died or done its work; in place of a dead one another is started. Gives who lives.
async fn carried_out(world: &World, generation: i64, fate: Arc<Fate>) -> Arc<Fate> {
    until("work or death", async || (fate.is_dead() || is_whole(world, generation).await).then_some(())).await;
    let fate = if fate.is_dead() { start(world).await } else { fate };
    until("a whole HDFS", async || is_whole(world, generation).await.then_some(())).await;
    fate
}

/// What there is of the HDFS, without what differs between two lives of the same thing.
async fn state(world: &World) -> BTreeMap<String, Value> {
    let collections = [
        "/api/v1/namespaces/default/configmaps",
        "/api/v1/namespaces/default/services",
        "/api/v1/namespaces/default/persistentvolumeclaims",
        "/apis/apps/v1/namespaces/default/statefulsets",
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
        HDFS,
    ];
    let mut found = BTreeMap::new();
    for collection in collections {
        for object in world.admin.list(collection, &[]).await.unwrap().0 {
            let metadata = &object["metadata"];
            let name = metadata["name"].as_str().unwrap();
            if !name.contains(NAME) {
                continue;
            }
            let owners = metadata["ownerReferences"]
                .as_array()
                .map(|owners| owners.iter().map(|o| o["name"].clone()).collect::<Vec<_>>());
            let mut spec = object["spec"].clone();
            for bound in ["volumeName", "clusterIP", "clusterIPs"] {
                spec.as_object_mut().and_then(|spec| spec.remove(bound));
            }
            let seen = json!({"spec": spec, "data": object["data"], "labels": metadata["labels"], "owners": owners});
            found.insert(format!("{collection}/{name}"), seen);
        }
    }
    found
}

/// What an HDFS is after it was made and after it was changed; each time its operator dies with its write of this number.
async fn life(deadly: usize) -> ([BTreeMap<String, Value>; 2], usize) {
    let world = without_operator(2, 2).await;
    let fate = start(&world).await;
    let cluster =
        json!({"apiVersion": "emberyard.dev/v1alpha1", "kind": "HdfsCluster", "metadata": {"name": NAME}, "spec": {}});
    fate.dies_after(deadly);
    until("the definition", async || world.admin.create(HDFS, &cluster).await.ok()).await;
    let fate = carried_out(&world, 1, fate).await;
    let (made, writes) = (state(&world).await, fate.written());

    fate.dies_after(deadly);
    let change = json!({"spec": {"replication": 2}});
    world.admin.patch(&format!("{HDFS}/{NAME}"), &change, ContentKind::MergePatch).await.unwrap();
    let fate = carried_out(&world, 2, fate).await;
    ([made, state(&world).await], writes.max(fate.written().saturating_sub(writes)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_an_operator_dies_the_next_one_makes_the_same() {
    let (undisturbed, writes) = life(usize::MAX).await;
    assert!(undisturbed[0].len() > 20 && writes > 15, "{writes} writes");
    println!("{writes} writes");
    assert_ne!(undisturbed[0], undisturbed[1]);
    let lives = futures::stream::iter(1..=writes).map(|deadly| async move { (deadly, life(deadly).await.0) });
    let mut lives = std::pin::pin!(lives.buffer_unordered(AT_ONCE));
    while let Some((deadly, states)) = lives.next().await {
        assert_eq!(states, undisturbed, "dead after write {deadly} of {writes}");
    }
}
