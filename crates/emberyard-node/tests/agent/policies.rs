//! Network policies: who gets through to a pod, directly and by a service's address, and what a pod gets out.

use crate::forward::PERL;
use crate::scenes::{World, pod_path};
use emberyard_client::path;
use serde_json::{Value, json};

/// Greets whoever connects to port 7000 or 7001.
const GREETS: &str = r#"exec perl -MIO::Socket::INET -e '
    for my $port (7000, 7001) {
        next if fork;
        my $listener = IO::Socket::INET->new(Listen => 9, LocalPort => $port, ReuseAddr => 1) or die $!;
        while (my $peer = $listener->accept) { print $peer "hello\n"; close $peer }
    }
    wait'"#;
/// `reaches ADDRESS PORT` in a script.
const REACHES: &str =
    "reaches() { [ \"$(timeout 1 bash -c 'exec 3<>/dev/tcp/$0/$1 && cat <&3' $1 $2 2> /dev/null)\" = hello ]; }\n";

impl World {
    async fn policy(&self, name: &str, spec: Value) {
        let policies = path("networking.k8s.io", "v1", "default", "networkpolicies", "");
        let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name}, "spec": spec});
        self.client.create(&policies, &object).await.unwrap();
    }

    async fn no_policy(&self, name: &str) {
        self.client.delete(&path("networking.k8s.io", "v1", "default", "networkpolicies", name)).await.unwrap();
    }

    /// What a pod's script prints, on one line.
    async fn prints(&self, name: &str, script: &str) -> String {
        self.pod(name, &format!("{REACHES}{script}"), json!({})).await;
        self.phase(name, "Succeeded").await;
        self.log(name).await.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub async fn policies(world: &World) {
    if !std::path::Path::new(PERL).exists() {
        println!("SKIPPED policies: there is no {PERL}, which plays the pod's server");
        return;
    }
    let friend = json!({"podSelector": {"matchLabels": {"app": "friend"}}});
    world
        .policy(
            "friends",
            json!({"podSelector": {"matchLabels": {"app": "server"}},
                "ingress": [{"from": [friend], "ports": [{"port": 7000}]}]}),
        )
        .await;
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "server"},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 7000}]}});
    let service = world.client.create(&path("", "v1", "default", "services", ""), &service).await.unwrap();
    let service = service["spec"]["clusterIP"].as_str().unwrap().to_owned();
    // Probes come from the node, which is always let in.
    let ready = json!({"tcpSocket": {"port": 7001}, "periodSeconds": 1});
    world.pod("server", GREETS, json!({"containers": [{"readinessProbe": ready}]})).await;
    let server = world
        .until("a ready server", &pod_path("server"), |pod| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
        })
        .await;
    let server = server["status"]["podIP"].as_str().unwrap().to_owned();
    let events = world.client.get("/api/v1/namespaces/default/events", &[]).await.unwrap();
    if events["items"].as_array().unwrap().iter().any(|event| event["reason"] == "NetworkPolicyNotEnforced") {
        println!("SKIPPED policies: this kernel has no nf_tables");
        return;
    }
    let all = format!(
        "for at in '{server} 7000' '{server} 7001' '{service} 80'; do reaches $at && echo yes || echo no; done"
    );
    // An address becomes known to policies when the pod has it: the first try may be too early.
    let wait = format!("until reaches {server} 7000; do :; done; {all}");
    let (friend, stranger) = tokio::join!(world.prints("friend", &wait), world.prints("stranger", &all));
    assert_eq!((friend.as_str(), stranger.as_str()), ("yes no yes", "no no no"));

    world.no_policy("friends").await;
    let until = |goal: &str| format!("until {goal}; do :; done; echo done");
    assert_eq!(world.prints("opened", &until(&format!("reaches {server} 7001"))).await, "done");
    // One that comes while its pod runs.
    world.policy("nobody", json!({"podSelector": {}})).await;
    assert_eq!(world.prints("closed", &until(&format!("! reaches {server} 7001"))).await, "done");
    world.no_policy("nobody").await;

    world.policy("silent", json!({"podSelector": {"matchLabels": {"app": "silent"}}, "policyTypes": ["Egress"]})).await;
    let asks = format!("{all}; getent hosts kubernetes.default > /dev/null && echo named");
    assert_eq!(world.prints("silent", &asks).await, "no no no named");
    world.no_policy("silent").await;
    for name in ["server", "friend", "stranger", "opened", "closed", "silent"] {
        world.client.delete(&format!("{}?gracePeriodSeconds=0", pod_path(name))).await.unwrap();
    }
}
