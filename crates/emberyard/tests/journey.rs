//! The tutorial's Spark part with the real parts: PySpark, JupyterLab, kubectl, unmodified.

// A test says what went wrong by panicking; clippy knows tests by their attribute only, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod browser;
mod scenes;
mod yard;

use std::process::Stdio;
use std::time::Duration;
use yard::proxy::Proxy;
use yard::{Yard, owners};

/// T8 as the tutorial has it.
const CONTEXT: &str = include_str!("../src/demo/context.py");

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
        yard.until(&format!("no {kind} of a session"), Duration::from_secs(60), || {
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
    let sum = "\nopen('sum', 'w').write(str(sc.parallelize(range(100000000)).sum()))\nos.rename('sum', 'answer')\n";
    let code = format!(
        "import os\nos.chdir('{}')\n{CONTEXT}{sum}{}sc.stop(){}",
        yard.files.display(),
        yard.pause("stop"),
        yard.pause("end")
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
    spark_pages(yard);
    // T11
    yard.go("stop");
    nothing_left(yard);
    yard.go("end");
    session.finish();
}

/// T13, through a real `kubectl proxy`: each tab, the numbers behind the Executors tab, and the links between them.
fn spark_pages(yard: &Yard) {
    let proxy = Proxy::start(yard);
    let root = "/api/v1/namespaces/default/services/my-pyspark-notebook-spark-ui:4040/proxy";
    for (tab, word) in [
        ("jobs", "Spark Jobs"),
        ("stages", "Stages for All Jobs"),
        ("storage", "Storage"),
        ("environment", "environmentpage"),
        ("executors", "executorspage"),
    ] {
        let page = proxy.page(&format!("{root}/{tab}/"));
        assert!(page.contains(word), "{tab}: {page}");
        // A link or script that leaves the proxy's path leads nowhere.
        let stray: Vec<&str> = page
            .split(['"', '\''])
            .filter(|link| ["/static/", "/jobs/", "/executors/"].iter().any(|at| link.starts_with(at)))
            .collect();
        assert!(stray.is_empty(), "{tab}: {stray:?}");
    }
    assert!(proxy.page(&format!("{root}/static/executorspage.js")).contains("function"));
    let applications: serde_json::Value =
        serde_json::from_str(&proxy.page(&format!("{root}/api/v1/applications"))).unwrap();
    let application = applications[0]["id"].as_str().unwrap();
    let executors: serde_json::Value =
        serde_json::from_str(&proxy.page(&format!("{root}/api/v1/applications/{application}/allexecutors"))).unwrap();
    let ids: Vec<&str> = executors.as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(["driver", "1", "2"].iter().all(|id| ids.contains(id)), "{ids:?}");
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
fn the_tutorial_runs_with_and_without_root() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &[]);
        tutorial(&yard);
        files_beside_the_notebook(&yard);
        yard.down();
    }
}

#[test]
fn the_fleet_follows_the_work_and_notebooks_reach_the_outside() {
    for owner in owners() {
        let port = scenes::outside::s3_port().to_string();
        let yard = Yard::up_as(owner, &[&scenes::fleet::FLEET[..], &["--allow-host", &port]].concat());
        scenes::outside::packages_and_objects(&yard);
        scenes::fleet::ten_executors(&yard);
        scenes::fleet::other_sizes(&yard);
        scenes::fleet::never_fits(&yard);
        scenes::notebooks::a_second_one(&yard);
        yard.down();
    }
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
    // `kubectl get --watch` itself ends with its connection; `kubectl wait` goes on with a new one.
    let gone = ["wait", "--for=delete", "pods", "-l", "spark-role=executor", "--timeout=300s"];
    let watch = yard.kubectl_command(&gone).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
    let watched = watch.wait_with_output().unwrap();
    let seen = yard::text(&watched);
    assert!(watched.status.success() && seen.matches("condition met").count() == 2, "{seen}");
    yard.down();
}
