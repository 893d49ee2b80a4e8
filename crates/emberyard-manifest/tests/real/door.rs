//! Stock PySpark's UI behind a path that Spark knows nothing of.

use super::http::{Answer, get, resolve, wait_for};
use super::{Process, asset, free_port, python};
use std::process::{Command, Stdio};

/// The path of `kubectl proxy`: it holds the very word that Spark's scripts look for.
const BEFORE: &str = "/api/v1/namespaces/d/services/n-spark-ui:4040/proxy";

const DRIVER: &str = "
import pyspark, sys
conf = pyspark.SparkConf().setMaster('local[1]').set('spark.ui.port', sys.argv[1]).set('spark.ui.showConsoleProgress', 'false')
sc = pyspark.SparkContext(conf=conf)
print(sc.parallelize(range(100), 2).map(lambda i: (i % 3, i)).groupByKey().count(), flush=True)
sys.stdin.read()
";

/// What a proxy does that takes its own path away and gives redirects back as they are.
fn through(port: u16, page: &str) -> (String, Answer) {
    let mut page = page.to_owned();
    for _ in 0..4 {
        let rest = page.strip_prefix(BEFORE).unwrap_or_else(|| panic!("{page} is outside of the proxy's path"));
        let answer = get(port, rest);
        match answer.header("Location") {
            Some(location) => page = resolve(&page, location),
            None => return (page, answer),
        }
    }
    panic!("{page}: redirected for ever");
}

fn links(body: &str) -> Vec<&str> {
    let marks = ["href=\"", "src=\"", "action=\""];
    let found = marks.iter().flat_map(|mark| body.split(mark).skip(1)).filter_map(|rest| rest.split('"').next());
    found
        .filter(|link| !link.starts_with('#') && !link.starts_with("http") && !link.starts_with("javascript:"))
        .collect()
}

#[test]
fn every_tab_of_the_spark_ui_works_behind_a_path() {
    let Some(python) = python("every_tab_of_the_spark_ui_works_behind_a_path") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("door.py");
    std::fs::write(&script, asset("spark_door.py")).unwrap();
    // Far from other tests' ports; Spark takes the next one if this is taken, and the door finds it there.
    let (ui, port) = (free_port(), free_port());
    let _door = Process::start(Command::new(&python).arg(&script).args([port.to_string(), ui.to_string()]));
    let mut driver = Command::new(&python);
    driver.args(["-c", DRIVER, &ui.to_string()]).current_dir(folder.path()).stdin(Stdio::piped()).stderr(Stdio::null());
    let _driver = Process::start(&mut driver);

    let session: serde_json::Value = loop {
        let session: serde_json::Value = serde_json::from_str(&wait_for(port, "/emberyard/session").body).unwrap();
        let done = get(port, "/api/v1/applications/x/jobs"); // any id: wakes nothing, tells that the UI is up
        if session["contexts"][0]["id"].is_string() && done.status != 503 {
            break session;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    let id = session["contexts"][0]["id"].as_str().unwrap();
    assert!(session["drivers"].as_u64().unwrap() >= 1, "{session}");
    wait_for(port, "/stages/stage/?id=0&attempt=0");

    let (first, _) = through(port, &format!("{BEFORE}/"));
    assert_eq!(first, format!("{BEFORE}/jobs/"));
    for start in [String::new(), format!("/spark:{}", session["contexts"][0]["port"])] {
        for tab in [
            "",
            "/jobs",
            "/jobs/",
            "/jobs/job/?id=0",
            "/stages/",
            "/stages/stage/?id=0&attempt=0",
            "/storage/",
            "/environment/",
            "/executors/",
        ] {
            let (page, answer) =
                through(port, &format!("{BEFORE}{start}{tab}{}", if tab.is_empty() { "/" } else { "" }));
            assert_eq!(answer.status, 200, "{page}");
            for link in links(&answer.body) {
                let target = resolve(&page, link);
                assert!(target.starts_with(&format!("{BEFORE}{start}/")), "{page}: {link} -> {target}");
                if target.contains("/static/") {
                    assert_eq!(through(port, &target).1.status, 200, "{page}: {link}");
                }
            }
            scripts_find_what_they_ask_for(port, &page, &answer.body, id);
        }
    }
    assert_eq!(get(port, "/spark:22/").status, 404, "other ports of the pod stay closed");
}

/// What executorspage.js, stagepage.js and environmentpage.js ask for, from the root that the page tells them.
fn scripts_find_what_they_ask_for(port: u16, page: &str, body: &str, id: &str) {
    let root =
        body.split("setUIRoot('").nth(1).and_then(|rest| rest.split('\'').next()).expect("the page tells its root");
    for asked in [
        "/api/v1/applications".to_owned(),
        format!("/api/v1/applications/{id}/allexecutors"),
        "/static/executorspage-template.html".to_owned(),
    ] {
        let target = resolve(page, &format!("{root}{asked}"));
        assert_eq!(through(port, &target).1.status, 200, "{page}: {asked}");
    }
    for script in ["utils.js", "stagepage.js", "environmentpage.js", "log-view.js"] {
        let (_, answer) = through(port, &resolve(page, &format!("{root}/static/{script}")));
        assert!(answer.status == 200 && !answer.body.contains("indexOf(\"proxy\")"), "{script}");
        assert!(!answer.body.contains("indexOf(\"history\")"), "{script}");
    }
}
