//! The life of a notebook.

use crate::world::{until, world};
use base64::Engine as _;
use emberyard_client::ContentKind;
use emberyard_front::GatewayConfig;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

const NOTEBOOKS: &str = "/apis/emberyard.dev/v1alpha1/namespaces/default/notebooks";
const CORE: &str = "/api/v1/namespaces/default";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

fn notebook(spec: Value) -> Value {
    json!({"apiVersion": "emberyard.dev/v1alpha1", "kind": "Notebook", "metadata": {"name": "nb"}, "spec": spec})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notebook_is_made_answers_stops_starts_and_goes() {
    let world = world(1, 2).await;
    let path = format!("{NOTEBOOKS}/nb");
    until("the definition", async || {
        world.admin.create(NOTEBOOKS, &notebook(json!({"folder": {"path": "/home/ada/work"}}))).await.ok()
    })
    .await;
    let phase = async |wanted: &str| {
        until(wanted, async || world.object(&path).await.filter(|found| found["status"]["phase"] == wanted)).await
    };
    let running = phase("Running").await;
    assert_eq!(running["status"]["url"], "http://127.0.0.1:8321/notebooks/default/nb/");
    assert_eq!(running["status"]["observedGeneration"], 1);
    let parts = [
        format!("{CORE}/serviceaccounts/nb"),
        format!("{RBAC}/roles/nb"),
        format!("{RBAC}/rolebindings/nb"),
        format!("{CORE}/configmaps/nb-spark"),
        format!("{CORE}/services/nb"),
        format!("{CORE}/services/nb-spark-driver"),
        format!("{CORE}/services/nb-spark-ui"),
        format!("{CORE}/persistentvolumeclaims/nb-home"),
        format!("{CORE}/secrets/nb-token"),
        format!("{CORE}/pods/nb-0"),
    ];
    for part in &parts {
        assert!(world.object(part).await.is_some(), "{part}");
    }
    // The second reconciliation changes nothing: server-side apply of equal objects writes nothing.
    let revision = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let before = world.object(&parts[3]).await.unwrap();
    world.admin.patch(&path, &json!({"metadata": {"annotations": {"a": "b"}}}), ContentKind::MergePatch).await.unwrap();

    let secret = world.object(&parts[8]).await.unwrap();
    let token = base64::engine::general_purpose::STANDARD.decode(secret["data"]["token"].as_str().unwrap()).unwrap();
    let token = String::from_utf8(token).unwrap();
    assert_eq!(token.len(), 48);
    gateway_knows_it(&world, &token).await;

    let stop = json!({"spec": {"stopped": true}});
    world.admin.patch(&path, &stop, ContentKind::MergePatch).await.unwrap();
    phase("Stopped").await;
    assert!(world.object(&parts[9]).await.is_none());
    assert_eq!(revision(&world.object(&parts[3]).await.unwrap()), revision(&before));
    world.admin.patch(&path, &json!({"spec": {"stopped": false}}), ContentKind::MergePatch).await.unwrap();
    phase("Running").await;

    // What the user's folder may not be is told in the status, with the cure.
    world.admin.patch(&path, &json!({"spec": {"folder": {"path": "/etc"}}}), ContentKind::MergePatch).await.unwrap();
    let invalid = phase("Invalid").await;
    assert!(
        invalid["status"]["conditions"][0]["message"].as_str().unwrap().contains("emberyard up FOLDER"),
        "{invalid}"
    );

    world.admin.delete(&path).await.unwrap();
    for part in parts.iter().filter(|part| !part.ends_with("nb-home")) {
        until(&format!("{part} gone"), async || world.object(part).await.is_none().then_some(())).await;
    }
    assert!(world.object(&parts[7]).await.is_some(), "the home outlives the notebook");
}

/// The gateway finds notebook and token by itself.
async fn gateway_knows_it(world: &crate::world::World, token: &str) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = GatewayConfig {
        listener,
        client: world.operator.clone(),
        random: [7; 24],
        hosts: Vec::new(),
        shutdown: world.shutdown.clone(),
    };
    tokio::spawn(async move { emberyard_front::serve(config).await.unwrap() });
    let ask = move |query: String| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /notebooks/default/nb/spark/{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    until("the gateway's route", async || {
        let query = format!("?token={token}");
        let status = tokio::task::spawn_blocking(move || ask(query)).await.unwrap();
        (status == 302).then_some(())
    })
    .await;
    let status = tokio::task::spawn_blocking(move || ask("?token=wrong".to_owned())).await.unwrap();
    assert_eq!(status, 403);
}
