//! The tutorial's Spark part with the real parts: PySpark, JupyterLab, kubectl, unmodified.

mod yard;

use std::time::Duration;
use yard::Yard;

/// T8 as the tutorial has it.
const CONTEXT: &str = r#"
import pyspark
conf = pyspark.SparkConf()
conf.setMaster("k8s://https://kubernetes.default.svc.cluster.local:443")
conf.set("spark.kubernetes.container.image", "kublr/spark-py:2.4.0-hadoop-2.6")
conf.set("spark.kubernetes.authenticate.caCertFile", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
conf.set("spark.kubernetes.authenticate.oauthTokenFile", "/var/run/secrets/kubernetes.io/serviceaccount/token")
conf.set("spark.kubernetes.authenticate.driver.serviceAccountName", "my-pyspark-notebook")
conf.set("spark.executor.instances", "2")
conf.set("spark.driver.host", "my-pyspark-notebook-spark-driver.default.svc.cluster.local")
conf.set("spark.driver.port", "29413")
sc = pyspark.SparkContext(conf=conf)
"#;

/// Names and nodes of the executors that run.
fn executors(yard: &Yard) -> Vec<(String, String)> {
    let template =
        "jsonpath={range .items[?(@.status.phase==\"Running\")]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}";
    let text = yard.kubectl_ok(&["get", "pods", "-l", "spark-role=executor", "-o", template]);
    text.lines().filter_map(|line| line.split_once(' ')).map(|(pod, node)| (pod.to_owned(), node.to_owned())).collect()
}

/// Nothing of a Spark application is left.
fn nothing_left(yard: &Yard) {
    for kind in ["pods", "configmaps", "services", "persistentvolumeclaims"] {
        yard.until(&format!("no {kind} of a session"), Duration::from_secs(20), || {
            let left = yard.kubectl_ok(&["get", kind, "-l", "spark-app-selector", "-o", "name"]);
            if left.trim().is_empty() { Ok(()) } else { Err(left) }
        });
    }
}

fn tutorial(yard: &Yard) {
    // T2
    let nodes = yard.kubectl_ok(&["get", "nodes"]);
    assert_eq!(nodes.matches(" Ready").count(), 2, "{nodes}");
    // T6, as typed
    let pod = yard.kubectl_ok(&[
        "get",
        "pods",
        "-l",
        "app.kubernetes.io/instance=my-pyspark-notebook",
        "-o",
        "go-template",
        "--template",
        "{{(index .items 0).metadata.name}}",
    ]);
    for word in ["server", "notebook"] {
        let servers = yard.kubectl_ok(&["exec", &pod, "--", "jupyter", word, "list"]);
        assert!(servers.contains("http://0.0.0.0:8888/") && servers.contains("token="), "{servers}");
    }
    // T8, T9
    let printed = yard.run(&format!("{CONTEXT}\nrdd = sc.parallelize(range(100000000))\nprint(rdd.sum())"));
    assert!(printed.contains("4999999950000000"), "{printed}");
    let running = executors(yard);
    assert_eq!(running.len(), 2, "{running:?}");
    assert!(
        running.iter().any(|(pod, _)| pod.ends_with("-exec-1"))
            && running.iter().any(|(pod, _)| pod.ends_with("-exec-2")),
        "{running:?}"
    );
    assert_ne!(running[0].1, running[1].1, "both executors on one node");
    let events = yard.kubectl_ok(&["get", "events", "-o", "jsonpath={.items[*].message}"]);
    assert!(events.contains("2.4.0"), "the alias is not said: {events}");
    // T10, T14's defaults
    for (pod, _) in &running {
        assert!(yard.kubectl_ok(&["logs", pod]).contains("Running task"), "{pod}");
        let memory = yard.kubectl_ok(&["get", "pod", pod, "-o", "jsonpath={.spec.containers[0].resources.requests}"]);
        assert!(memory.contains("1408Mi") && memory.contains("\"cpu\":\"1\""), "{memory}");
    }
    // T11
    yard.run("sc.stop()");
    nothing_left(yard);
}

#[test]
fn the_tutorial_runs_as_the_one_who_tests() {
    let yard = Yard::up(&[]);
    tutorial(&yard);
    yard.down();
}

#[test]
fn the_tutorial_runs_without_root() {
    if !rustix::process::geteuid().is_root() {
        return; // the test above is this one then
    }
    let yard = Yard::up_as(Some(12345), &[]);
    tutorial(&yard);
    yard.down();
}
