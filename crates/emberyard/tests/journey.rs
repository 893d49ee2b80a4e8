//! The tutorial's Spark part with the real parts: PySpark, JupyterLab, kubectl, unmodified.

// A test says what went wrong by panicking; clippy knows tests by their attribute only, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod browser;
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
    // T8, T9; the kernel waits for a file in the user's own folder between the steps
    let wait = |name: &str| {
        format!("\nimport os, time\nwhile not os.path.exists('{}'): time.sleep(0.1)\n", yard.files.join(name).display())
    };
    let sum = "\nopen('sum', 'w').write(str(sc.parallelize(range(100000000)).sum()))\nos.rename('sum', 'answer')\n";
    let code = format!(
        "import os\nos.chdir('{}')\n{CONTEXT}{sum}{}sc.stop(){}",
        yard.files.display(),
        wait("stop"),
        wait("end")
    );
    let mut session = yard.start(&code);
    yard.until("the sum", Duration::from_secs(300), || {
        if session.has_ended() {
            Err("the code ended".to_owned())
        } else {
            std::fs::read_to_string(yard.files.join("answer")).map(drop).map_err(|error| error.to_string())
        }
    });
    assert_eq!(std::fs::read_to_string(yard.files.join("answer")).unwrap(), "4999999950000000");
    let owner = |path: &std::path::Path| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap());
    assert_eq!(owner(&yard.files.join("answer")), owner(&yard.files), "files keep their owner");
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
    // T13, by the path that `kubectl proxy` serves
    let page = "/api/v1/namespaces/default/services/my-pyspark-notebook-spark-ui:4040/proxy";
    assert!(yard.kubectl_ok(&["get", "--raw", &format!("{page}/jobs/")]).contains("Spark Jobs"));
    assert!(yard.kubectl_ok(&["get", "--raw", &format!("{page}/executors/")]).contains("executorspage"));
    assert!(yard.kubectl_ok(&["get", "--raw", &format!("{page}/api/v1/applications")]).contains("pyspark-shell"));
    // T11
    std::fs::write(yard.files.join("stop"), "").unwrap();
    nothing_left(yard);
    std::fs::write(yard.files.join("end"), "").unwrap();
    session.finish();
}

/// The zero-configuration form, with files beside the notebook.
fn files_beside_the_notebook(yard: &Yard) {
    std::fs::write(yard.files.join("data.csv"), "1,a\n2,b\n3,c\n").unwrap();
    if let Some(uid) = yard.owner {
        std::os::unix::fs::chown(yard.files.join("data.csv"), Some(uid), Some(uid)).unwrap();
    }
    let code = format!(
        "import os\nos.chdir('{}')\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
         spark.read.csv(os.path.abspath('data.csv')).write.parquet(os.path.abspath('out'))\n\
         print(spark.read.parquet(os.path.abspath('out')).count())\nspark.stop()",
        yard.files.display()
    );
    assert_eq!(yard.run(&code).trim(), "3");
    assert!(yard.files.join("out/_SUCCESS").exists());
    nothing_left(yard);
}

#[test]
fn the_tutorial_runs_as_the_one_who_tests() {
    let yard = Yard::up(&[]);
    tutorial(&yard);
    files_beside_the_notebook(&yard);
    yard.down();
}

#[test]
fn the_tutorial_runs_without_root() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can run a yard as another user; the test above ran it without root");
        return;
    }
    let yard = Yard::up_as(Some(12345), &[]);
    tutorial(&yard);
    files_beside_the_notebook(&yard);
    yard.down();
}

/// The process that a record in the yard's folder names.
fn recorded(yard: &Yard, role: &str) -> String {
    let record = std::fs::read_to_string(yard.dir().join("run").join(format!("{role}.json"))).unwrap();
    serde_json::from_str::<serde_json::Value>(&record).unwrap()["pid"].to_string()
}

#[test]
fn a_job_does_not_notice_that_control_plane_agents_and_keeper_are_killed() {
    let yard = Yard::up(&[]);
    let slow = "import time\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
                def slow(i):\n    time.sleep(0.5)\n    return i\n\
                print(spark.sparkContext.parallelize(range(80), 80).map(slow).sum())\n\
                store = spark.sparkContext._jsc.sc().statusStore().executorList(False)\n\
                print('failed', sum(store.apply(i).failedTasks() for i in range(store.size())), 'of', store.size())\n";
    let session = yard.start(slow);
    yard.until("two executors", Duration::from_secs(180), || {
        let running = executors(&yard);
        if running.len() == 2 { Ok(()) } else { Err(format!("{running:?}")) }
    });
    let before = executors(&yard);
    for role in ["api", "agent-node-1", "agent-node-2"] {
        yard::kill(&recorded(&yard, role));
    }
    yard.until("the API again", Duration::from_secs(20), || {
        let nodes = yard.kubectl(&["get", "nodes"]);
        if nodes.status.success() { Ok(()) } else { Err(yard::text(&nodes)) }
    });
    let keeper = yard.emberyard(&["status", "-o", "json"]);
    assert!(keeper.status.success(), "{}", yard::text(&keeper));
    yard::kill(&yard.keeper());
    let up = yard.emberyard(&["up", &yard.files.display().to_string(), "--detach", "--no-browser"]);
    assert!(up.status.success(), "{}\n{}", yard::text(&up), yard.logs());
    assert_eq!(executors(&yard), before, "executors were replaced");
    let printed = session.finish();
    assert!(printed.contains("3160") && printed.contains("failed 0 of 3"), "{printed}");
    yard.down();
}
