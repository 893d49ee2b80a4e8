//! Connections to pods, services and nodes: where they lead.

use crate::yard::Yard;
use emberyard_cluster::Method::{Get, Patch, Post};
use emberyard_cluster::{Connect, Reply, Scheme};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn yard() -> Yard {
    let mut yard = Yard::new();
    yard.node("n");
    yard.post(
        PODS,
        json!({"metadata": {"name": "a", "labels": {"app": "a"}}, "spec": {"containers": [
            {"name": "c", "image": "i", "ports": [{"name": "ui", "containerPort": 4040}]}, {"name": "d", "image": "i"}]}}),
    );
    yard.bind("a", "n");
    yard.ok(
        200,
        Patch,
        &format!("{PODS}/a/status"),
        json!({"status": {"podIP": "10.42.1.5", "podIPs": [{"ip": "10.42.1.5"}]}}),
    );
    yard
}

fn connect(yard: &mut Yard, path: &str) -> Result<Connect, (u16, String)> {
    let request = yard.request(Get, path, &Value::Null);
    match yard.reply(&request) {
        Reply::Connect(connect) => Ok(*connect),
        Reply::Answer(answer) => {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            Err((answer.status, body["message"].as_str().unwrap_or("").to_owned()))
        }
        other => panic!("{other:?}"),
    }
}

fn line(yard: &mut Yard, path: &str) -> String {
    match connect(yard, path) {
        Ok(c) => {
            let query: Vec<_> = c.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let scheme = match c.target.scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
                Scheme::Kubelet => "kubelet",
            };
            format!("{scheme}://{}:{}{}?{}", c.target.host, c.target.port, c.path, query.join("&"))
        }
        Err((status, message)) => format!("{status} {message}"),
    }
}

#[test]
fn streams_lead_to_the_node() {
    let mut yard = yard();
    let table = [
        ("log?container=c&tailLines=5&bogus=1", "kubelet://10.41.0.11:10250/containerLogs/default/a/c?tailLines=5"),
        ("log", "400 a container name must be specified for pod a, choose one of: [c d]"),
        ("log?container=x", "400 container x is not valid for pod a"),
        (
            "exec?container=d&command=sh&command=-c&stdin=true&stdout=1&tty=true",
            "kubelet://10.41.0.11:10250/exec/default/a/d?input=1&output=1&tty=1&command=sh&command=-c",
        ),
        ("exec?container=d&stdout=1", "400 you must specify a command for the container"),
        ("attach?container=d&stdout=1", "kubelet://10.41.0.11:10250/attach/default/a/d?output=1"),
        ("portforward?ports=80", "kubelet://10.41.0.11:10250/portForward/default/a?port=80"),
    ];
    for (path, wanted) in table {
        assert_eq!(line(&mut yard, &format!("{PODS}/a/{path}")), wanted, "{path}");
    }
    yard.pod("b");
    assert_eq!(
        line(&mut yard, &format!("{PODS}/b/exec?command=x&stdout=1")),
        "400 pod b does not have a host assigned"
    );
    assert_eq!(line(&mut yard, &format!("{PODS}/b/log")), "200 ");
    assert_eq!(line(&mut yard, &format!("{PODS}/x/log")), "404 pods \"x\" not found");
}

#[test]
fn proxies_lead_to_ports() {
    let mut yard = yard();
    yard.post(
        "/api/v1/namespaces/default/services",
        json!({"metadata": {"name": "s"}, "spec": {"ports": [{"name": "http", "port": 80}]}}),
    );
    yard.post(
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        json!({"metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}}, "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080}], "endpoints": [
                {"addresses": ["10.42.1.9"], "conditions": {"ready": false}}, {"addresses": ["10.42.1.5"], "conditions": {"ready": true}}]}),
    );
    let ns = "/api/v1/namespaces/default";
    let table = [
        (format!("{ns}/pods/a:4040/proxy/jobs/?x=y"), "http://10.42.1.5:4040/jobs/?x=y"),
        (format!("{ns}/pods/a:ui/proxy/"), "http://10.42.1.5:4040/?"),
        (format!("{ns}/pods/https:a:ui/proxy/a%20b"), "https://10.42.1.5:4040/a%20b?"),
        (format!("{ns}/pods/a/proxy"), "301 "),
        (format!("{ns}/pods/a:nope/proxy/"), "400 port \"nope\" is unknown"),
        (format!("{ns}/services/s/proxy/x"), "http://10.42.1.5:8080/x?"),
        (format!("{ns}/services/s:http/proxy/x"), "http://10.42.1.5:8080/x?"),
        (format!("{ns}/services/s:80/proxy/x"), "http://10.42.1.5:8080/x?"),
        (format!("{ns}/services/s:81/proxy/x"), "503 no such port is available for service \"s\""),
        ("/api/v1/nodes/n/proxy/metrics".to_owned(), "kubelet://10.41.0.11:10250/metrics?"),
        ("/api/v1/nodes/m/proxy/metrics".to_owned(), "404 nodes \"m\" not found"),
    ];
    for (path, wanted) in table {
        assert_eq!(line(&mut yard, &path), wanted, "{path}");
    }
    let connect = connect(&mut yard, &format!("{ns}/services/s:http/proxy/x")).unwrap();
    assert_eq!(connect.prefix, "/api/v1/namespaces/default/services/s:http/proxy");
}

#[test]
fn evictions_delete() {
    let mut yard = yard();
    let mut eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"},
        "deleteOptions": {"gracePeriodSeconds": 7}});
    yard.ok(201, Post, &format!("{PODS}/a/eviction"), eviction.clone());
    eviction["metadata"]["name"] = json!("b");
    assert_eq!(yard.get(&format!("{PODS}/a"))["metadata"]["deletionGracePeriodSeconds"], 7);
    yard.ok(404, Post, &format!("{PODS}/b/eviction"), eviction);
}
