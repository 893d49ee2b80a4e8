//! The fleet grows for a gang in one decision, explains itself, and shrinks again (tutorial T24, T25).

use crate::world::{until, world};
use emberyard_operator::{EXPLAIN_NAME, EXPLAIN_NAMESPACE, Explanation};
use http::Method;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const SELECTOR: &str = "spark-app-selector=spark-1";

fn executor(number: usize, cpu: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("exec-{number}"),
            "labels": {"spark-role": "executor", "spark-app-selector": "spark-1"},
        },
        "spec": {"restartPolicy": "Never", "containers": [{
            "name": "executor", "image": "spark-py", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}},
        }]},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_executors_bring_nodes_in_one_decision_and_take_them_away_again() {
    let world = world(1, 4).await;
    until("the first node", async || (world.nodes().await.len() == 1).then_some(())).await;
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    until("the default account", async || world.object(account).await).await;
    for number in 1..=10 {
        world.admin.create(PODS, &executor(number, "1")).await.unwrap();
    }
    until("ten running", async || (world.phases(SELECTOR).await.get("Running") == Some(&10)).then_some(())).await;
    assert_eq!(world.nodes().await, ["node-1", "node-2", "node-3"]);
    let launches: Vec<String> = world.provider.calls().into_iter().filter(|call| call.starts_with("launch")).collect();
    // `launch TIME-STEP-ORDINAL shape`: the two nodes of the gang come from one decision.
    let decision = |call: &str| call.split(' ').nth(1).unwrap().rsplit_once('-').unwrap().0.to_owned();
    assert_eq!(launches.len(), 3, "{launches:?}");
    assert_eq!(decision(&launches[1]), decision(&launches[2]), "{launches:?}");

    let explain = format!("/api/v1/namespaces/{EXPLAIN_NAMESPACE}/configmaps/{EXPLAIN_NAME}");
    assert!(Explanation::read(&world.object(&explain).await.unwrap()).is_some());

    world.admin.create(PODS, &executor(11, "64")).await.unwrap();
    until("an event that says that it never fits", async || {
        let (events, _) = world.admin.list("/api/v1/namespaces/default/events", &[]).await.ok()?;
        events.into_iter().find(|event| event["reason"] == "NeverFits")
    })
    .await;

    let all = [("labelSelector", SELECTOR)];
    world.admin.request(Method::DELETE, PODS, &all, None, emberyard_client::ContentKind::Json).await.unwrap();
    until("the minimum", async || (world.nodes().await.len() == 1).then_some(())).await;
}
