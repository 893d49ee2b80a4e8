//! A fleet that grows and shrinks (T24, T25), and executors of other sizes (T14).

use crate::yard::Yard;
use crate::{CONTEXT, executors, nothing_left};
use emberyard_model::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Two to four nodes, so small that ten executors and the notebook need all four: beside the notebook two find room,
/// else three.
pub const FLEET: [&str; 4] = ["--nodes", "2..4", "--node-shape", "cpu=3,memory=5Gi"];
/// An empty node goes within this, in seconds.
const REMOVAL: i64 = 30;

/// The tutorial's context with further settings in front of it.
fn context(settings: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> =
        settings.iter().map(|(key, value)| format!("conf.set(\"{key}\", \"{value}\")\n")).collect();
    lines.push("sc = pyspark".to_owned());
    CONTEXT.replace("sc = pyspark", &lines.concat())
}

/// Events of a reason: name of the object, message, time.
fn events(yard: &Yard, reason: &str) -> Vec<(String, String, Timestamp)> {
    let selector = format!("reason={reason}");
    let text = yard.kubectl_ok(&["get", "events", "-A", "--field-selector", &selector, "-o", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let one = |event: &Value| {
        let time = Timestamp::parse(event["lastTimestamp"].as_str().unwrap()).unwrap();
        (text(&event["involvedObject"]["name"]), text(&event["message"]), time)
    };
    list["items"].as_array().unwrap().iter().map(one).collect()
}

fn ready_nodes(yard: &Yard) -> usize {
    yard.kubectl_ok(&["get", "nodes"]).matches(" Ready").count()
}

pub fn ten_executors(yard: &Yard) {
    assert_eq!(ready_nodes(yard), 2);
    let code = format!(
        "{}\nopen('{}', 'w').close()\n{}sc.stop(){}",
        context(&[("spark.executor.instances", "10")]),
        yard.files.join("grown").display(),
        yard.pause("stop"),
        yard.pause("end")
    );
    let session = yard.start(&code);
    yard.until("ten executors", Duration::from_secs(300), || {
        let running = executors(yard).len();
        if running == 10 { Ok(()) } else { Err(format!("{running} run")) }
    });
    assert_eq!(ready_nodes(yard), 4);
    // Pods run before their executors have registered, which is what the context waits for.
    yard.until("the context", Duration::from_secs(120), || {
        std::fs::metadata(yard.files.join("grown")).map(drop).map_err(|error| error.to_string())
    });
    // Some had to wait, and were told why.
    let waited: Vec<_> =
        events(yard, "FailedScheduling").into_iter().filter(|(pod, _, _)| pod.contains("-exec-")).collect();
    let said = |word: &str| waited.iter().any(|(_, message, _)| message.contains(word));
    assert!(said("0/2 nodes are available") && said("Insufficient cpu"), "{waited:?}");
    // Both nodes were added in one decision.
    let added = events(yard, "NodesAdded");
    let count = |message: &str| message.split(' ').next().and_then(|word| word.parse::<u32>().ok()).unwrap_or(0);
    assert_eq!(added.iter().map(|(_, message, _)| count(message)).collect::<Vec<_>>(), [2], "{added:?}");

    yard.go("stop");
    nothing_left(yard);
    yard.until("two nodes", Duration::from_secs(120), || {
        let nodes = ready_nodes(yard);
        if nodes == 2 { Ok(()) } else { Err(format!("{nodes} nodes")) }
    });
    // The product's own record says when each was decided on, and since when the node was empty.
    let removed = events(yard, "NodeRemoved");
    // On a machine under load a node may have been given up meanwhile, and another taken in its place.
    let added: u32 = events(yard, "NodesAdded").iter().map(|(_, message, _)| count(message)).sum();
    assert_eq!(removed.len(), added as usize, "{removed:?}");
    for (node, message, when) in removed {
        let since = message.rsplit_once("empty since ").map(|(_, time)| Timestamp::parse(time.trim_end_matches('.')));
        let since = since.unwrap().unwrap();
        assert!((0..=REMOVAL).contains(&when.since(since).as_secs().cast_signed()), "{node}: {message} at {when}");
    }
    yard.go("end");
    session.finish();
}

/// T14: other sizes are what the pods have.
pub fn other_sizes(yard: &Yard) {
    let settings = [
        ("spark.executor.instances", "1"),
        ("spark.kubernetes.executor.limit.cores", "2"),
        ("spark.kubernetes.executor.request.cores", "0.5"),
        ("spark.executor.memory", "2g"),
    ];
    let session = yard.start(&format!("{}{}sc.stop()", context(&settings), yard.pause("sized")));
    yard.until("the executor", Duration::from_secs(120), || {
        let running = executors(yard).len();
        if running == 1 { Ok(()) } else { Err(format!("{running} run")) }
    });
    let asked = yard.kubectl_ok(&[
        "get",
        "pods",
        "-l",
        "spark-role=executor",
        "-o",
        "jsonpath={.items[0].spec.containers[0].resources}",
    ]);
    let asked: Value = serde_json::from_str(&asked).unwrap();
    // 2 GiB and Spark's 384 MiB on top.
    let wanted = serde_json::json!({
        "limits": {"cpu": "2", "memory": "2432Mi"}, "requests": {"cpu": "500m", "memory": "2432Mi"},
    });
    assert_eq!(asked, wanted);
    yard.go("sized");
    session.finish();
    nothing_left(yard);
}

/// T14: what can never fit is told at once, and Spark waits instead of failing.
pub fn never_fits(yard: &Yard) {
    let table =
        [("memory", ("spark.executor.memory", "900g"), "memory"), ("cores", ("spark.executor.cores", "64"), "cpu 64")];
    for (name, setting, word) in table {
        let settings = [
            setting,
            // The context need not wait its usual 30 s for executors.
            ("spark.scheduler.maxRegisteredResourcesWaitingTime", "1s"),
        ];
        let code = format!("{}{}sc.stop()\nprint('alive')", context(&settings), yard.pause(name));
        let session = yard.start(&code);
        yard.until("an event", Duration::from_secs(120), || {
            let told = events(yard, "NeverFits");
            let good = told.iter().any(|(pod, message, _)| {
                pod.contains("-exec-") && message.contains("can never run") && message.contains(word)
            });
            if good { Ok(()) } else { Err(format!("{told:?}")) }
        });
        let explained = yard.emberyard(&["explain", "-o", "json"]);
        let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
        let sentences = explained["fleet"]["sentences"].to_string();
        assert!(sentences.contains("can never run") && sentences.contains("Ask for at most that"), "{explained:#}");
        assert!(explained["waiting"].to_string().contains("Insufficient"), "{explained:#}");
        let each = "jsonpath={range .items[*]}{.metadata.name} {.status.phase},{end}";
        yard.until("both executors pending", Duration::from_secs(60), || {
            let phases = yard.kubectl_ok(&["get", "pods", "-l", "spark-role=executor", "-o", each]);
            let good = phases.matches(" Pending,").count() == 2 && phases.matches(',').count() == 2;
            if good { Ok(()) } else { Err(phases) }
        });
        assert_eq!(ready_nodes(yard), 2, "nodes were added for what never fits");
        yard.go(name);
        assert!(session.finish().contains("alive"));
        nothing_left(yard);
    }
}
