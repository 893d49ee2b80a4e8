//! Stock JupyterLab with our configuration.

use super::http::{ask, get, wait_for};
use super::{Process, asset, free_port, python};
use std::path::Path;
use std::process::{Command, Stdio};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn listed(port: u16, path: &str) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(&get(port, path).body).unwrap();
    let names = body["content"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned());
    names.collect()
}

#[test]
fn jupyterlab_opens_on_the_folder_and_leaves_it_clean() {
    let Some(python) = python("jupyterlab_opens_on_the_folder_and_leaves_it_clean") else { return };
    let temporary = tempfile::tempdir().unwrap();
    let at = |name: &str| temporary.path().join(name);
    for folder in ["home", "work", "examples", "run"] {
        std::fs::create_dir(at(folder)).unwrap();
    }
    std::fs::write(at("config.py"), asset("jupyter_server_config.py")).unwrap();
    std::fs::write(at("examples/tutorial.ipynb"), asset("tutorial.ipynb")).unwrap();
    std::fs::write(at("token"), "secret").unwrap();
    std::fs::write(at("work/data.csv"), "1\n").unwrap();
    let port = free_port();
    let command = |words: &[&str]| {
        let mut command = Command::new(&python);
        command
            .args(["-m", "jupyter"])
            .args(words)
            .env("HOME", at("home"))
            .env("PATH", format!("{}:/usr/bin:/bin", python.parent().unwrap().display()))
            .env("EMBERYARD_BASE_URL", "/notebooks/d/n/")
            .env("EMBERYARD_ROOT_DIR", at("work"))
            .env("EMBERYARD_EXAMPLES", at("examples"))
            .env("JUPYTER_RUNTIME_DIR", at("run"))
            .env("JUPYTER_TOKEN_FILE", at("token"))
            .current_dir(at("work"));
        command
    };
    let config = format!("--config={}", at("config.py").display());
    let _server = Process::start(
        command(&["lab", "--allow-root", &config, &format!("--ServerApp.port={port}")]).stderr(Stdio::null()),
    );
    wait_for(port, "/notebooks/d/n/api");

    // The tutorial's pipe (T6) makes a link of this line.
    let list = String::from_utf8(command(&["server", "list"]).output().unwrap().stdout).unwrap();
    assert!(list.contains(&format!("http://0.0.0.0:{port}/notebooks/d/n/?token=secret ::")), "{list}");

    // JupyterLab's question about news is answered, and the answer is one that it takes.
    let settings = get(port, "/notebooks/d/n/lab/api/settings/@jupyterlab/apputils-extension:notification").body;
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["settings"]["fetchNews"], "false", "{settings}");

    let contents = "/notebooks/d/n/api/contents";
    assert_eq!(listed(port, contents), ["data.csv", "Emberyard"]);
    assert_eq!(listed(port, &format!("{contents}/Emberyard")), ["tutorial.ipynb"]);
    let note = r#"{"type":"file","format":"text","content":"hello"}"#;
    assert_eq!(ask(port, "PUT", &format!("{contents}/Emberyard/note.txt"), note).unwrap().status, 201);
    assert_eq!(ask(port, "POST", &format!("{contents}/Emberyard/note.txt/checkpoints"), "").unwrap().status, 201);
    assert_eq!(ask(port, "PUT", &format!("{contents}/mine.txt"), note).unwrap().status, 201);
    assert_eq!(std::fs::read_to_string(at("home/Emberyard/note.txt")).unwrap(), "hello");
    assert_eq!(names(&at("work")), ["data.csv", "mine.txt"], "nothing of ours in the user's folder");
    for outside in ["Emberyard/../../token", "Emberyard/%2e%2e/%2e%2e/token"] {
        let answer = get(port, &format!("{contents}/{outside}"));
        assert_ne!(answer.status, 200, "{outside}: {}", answer.body);
    }
}
