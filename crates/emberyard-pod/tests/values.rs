//! Environment, files, mounts and classes of pods, as tables.

// A test ends at its first failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_model::{Bytes, Cpu, Resources};
use emberyard_pod::spec::VolumeKind;
use emberyard_pod::status::{Qos, qos};
use emberyard_pod::{Facts, Pod, ServiceFact, Sources, env, files, process, volumes};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn pod(spec: Value) -> Pod {
    let object =
        json!({"metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "x \"y\""}}, "spec": spec});
    Pod::read(&object).unwrap()
}

fn facts() -> Facts {
    Facts {
        node_name: "node-1".into(),
        host_ip: "10.41.0.11".parse().ok(),
        pod_ip: "10.42.1.2".parse().ok(),
        allocatable: Resources { cpu: Cpu(2500), memory: Bytes(1 << 30), pods: 110 },
        services: vec![ServiceFact {
            name: "my-db".into(),
            namespace: "ns".into(),
            address: "10.96.0.9".parse().unwrap(),
            ports: vec![("sql".into(), 5432, "TCP".into())],
        }],
        api: Some(("10.96.0.1".parse().unwrap(), 443)),
        dns: "10.96.0.10".parse().ok(),
        domain: "cluster.local".into(),
    }
}

fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.config_maps.insert("cm".into(), json!({"data": {"k": "v"}, "binaryData": {"b": "AAE="}}));
    sources.secrets.insert("s".into(), json!({"data": {"password": "c2VjcmV0"}}));
    sources
}

#[test]
fn environment_from_everywhere() {
    let pod = pod(json!({"containers": [{"name": "a",
        "resources": {"limits": {"memory": "1408Mi", "cpu": "1500m"}},
        "envFrom": [{"prefix": "C_", "configMapRef": {"name": "cm"}}, {"secretRef": {"name": "none", "optional": true}}],
        "env": [
            {"name": "PLAIN", "value": "1"}, {"name": "REF", "value": "$(PLAIN)-$(MY_DB_SERVICE_HOST)-$(NO)"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
            {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
            {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none", "optional": true}}},
            {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}]}));
    let env = env::build(&pod, &pod.spec.containers[0], &facts(), &sources()).unwrap();
    for (name, value) in [
        ("PLAIN", "1"),
        ("REF", "1-10.96.0.9-$(NO)"),
        ("IP", "10.42.1.2"),
        ("APP", "x \"y\""),
        ("KEY", "v"),
        ("C_k", "v"),
        ("PW", "secret"),
        ("MEM", "1408"),
        ("CPU", "2"),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("KUBERNETES_SERVICE_PORT", "443"),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "443"),
        ("MY_DB_PORT_5432_TCP_ADDR", "10.96.0.9"),
    ] {
        assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!env.contains_key("MAYBE"));
}

#[test]
fn what_is_missing_is_named() {
    for (source, message) in [
        (json!({"configMapKeyRef": {"name": "no", "key": "k"}}), "configmap \"no\" not found"),
        (json!({"secretKeyRef": {"name": "s", "key": "no"}}), "couldn't find key no in Secret s"),
        (json!({"fieldRef": {"fieldPath": "spec.containers"}}), "unsupported fieldPath: spec.containers"),
    ] {
        let pod = pod(json!({"containers": [{"name": "a", "env": [{"name": "X", "valueFrom": source}]}]}));
        let error = env::build(&pod, &pod.spec.containers[0], &facts(), &sources()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn projected_files() {
    let pod =
        pod(json!({"serviceAccountName": "sa", "containers": [], "volumes": [{"name": "v", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "cm", "items": [{"key": "k", "path": "dir/k", "mode": 256}]}},
        {"secret": {"name": "s"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}]}));
    let VolumeKind::Files { sources: from, default_mode } = &pod.spec.volumes[0].kind else { panic!() };
    let tokens: BTreeMap<_, _> = volumes::tokens(&pod).into_iter().map(|t| (t, "tok".to_owned())).collect();
    let files = volumes::files(&pod, from, *default_mode, &facts(), &sources(), &tokens).unwrap();
    let text: Vec<String> =
        files.iter().map(|(path, f)| format!("{path} {:o} {}", f.mode, String::from_utf8_lossy(&f.bytes))).collect();
    assert_eq!(text, ["dir/k 400 v", "labels 644 app=\"x \\\"y\\\"\"", "password 644 secret", "token 644 tok"]);
    assert!(volumes::files(&pod, from, *default_mode, &facts(), &Sources::default(), &tokens).is_err());
}

#[test]
fn mounts_are_ordered_and_stay_inside() {
    let volume = json!([{"name": "v", "emptyDir": {"medium": "Memory"}}]);
    let mount = |sub: &str| {
        pod(json!({"volumes": volume, "containers": [{"name": "a", "volumeMounts": [
            {"name": "v", "mountPath": "/a/b/", "subPathExpr": sub}, {"name": "v", "mountPath": "/a"}]}]}))
    };
    let env = BTreeMap::from([("N".to_owned(), "x".to_owned())]);
    let good = mount("d/$(N)");
    let list = volumes::mounts(&good, &good.spec.containers[0], &env).unwrap();
    assert_eq!((list[0].path.as_str(), list[1].sub_path.as_str()), ("/a", "d/x"));
    for bad in ["../x", "/etc", "a/../../b"] {
        let pod = mount(bad);
        assert!(volumes::mounts(&pod, &pod.spec.containers[0], &env).is_err(), "{bad}");
    }
}

#[test]
fn name_files() {
    let plain = pod(
        json!({"containers": [], "hostname": "h", "subdomain": "sub", "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["x", "y"]}]}),
    );
    assert!(files::hosts(&plain, &facts()).contains("10.42.1.2\th.sub.ns.svc.cluster.local\th\n1.2.3.4\tx\ty\n"));
    let resolv = files::resolv_conf(&plain, &facts());
    assert_eq!(
        resolv,
        "nameserver 10.96.0.10\nsearch ns.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
    );
    let own = pod(
        json!({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["9.9.9.9"], "searches": ["a.b"], "options": [{"name": "ndots", "value": "2"}]}, "containers": []}),
    );
    assert_eq!(files::resolv_conf(&own, &facts()), "nameserver 9.9.9.9\nsearch a.b\noptions ndots:2\n");
    assert_eq!(
        files::passwd("root:x:0:0::/root:/bin/sh", 1000, 100, "/h"),
        "root:x:0:0::/root:/bin/sh\nuser1000:x:1000:100::/h:/bin/sh\n"
    );
    assert_eq!(files::passwd("me:x:1000:1000::/:/bin/sh\n", 1000, 0, "/"), "me:x:1000:1000::/:/bin/sh\n");
}

#[test]
fn commands() {
    let image = process::ImageDefaults { entrypoint: vec!["/e".into()], cmd: vec!["c".into()], ..Default::default() };
    let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
    for (spec, argv) in [
        (json!({"name": "a"}), vec!["/e", "c"]),
        (json!({"name": "a", "args": ["$(A)"]}), vec!["/e", "1"]),
        (json!({"name": "a", "command": ["x"]}), vec!["x"]),
        (json!({"name": "a", "command": ["x"], "args": ["y"]}), vec!["x", "y"]),
    ] {
        let pod = pod(json!({"containers": [spec]}));
        assert_eq!(process::argv(&pod.spec.containers[0], &image, &env).unwrap(), argv);
    }
}

#[test]
fn classes() {
    for (resources, class) in [
        (json!({}), Qos::BestEffort),
        (json!({"requests": {"cpu": "1"}}), Qos::Burstable),
        (json!({"limits": {"cpu": "1", "memory": "1Gi"}}), Qos::Guaranteed),
        (json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}), Qos::Burstable),
        (json!({"requests": {"ephemeral-storage": "1Gi"}}), Qos::BestEffort),
    ] {
        assert_eq!(qos(&pod(json!({"containers": [{"name": "a", "resources": resources}]}))), class, "{resources}");
    }
}

#[test]
fn reads_what_spark_posts() {
    let text = include_str!("executor.json");
    let pod = Pod::read(&serde_json::from_str(text).unwrap()).unwrap();
    let env = env::build(&pod, &pod.spec.containers[0], &facts(), &sources()).unwrap();
    assert_eq!(env["SPARK_EXECUTOR_POD_IP"], "10.42.1.2");
    assert_eq!(pod.spec.volumes.len(), 2);
}
