//! The life of a second notebook, and a notebook file that is run with its outputs kept.

use crate::nothing_left;
use crate::yard::{Yard, http, text};
use serde_json::{Value, json};
use std::time::Duration;

pub fn a_second_one(yard: &Yard) {
    let verb = |words: &[&str]| {
        let output = yard.emberyard(&[&["notebook"], words].concat());
        assert!(output.status.success(), "notebook {words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let created = verb(&["create", "second"]);
    let url = verb(&["url", "second"]);
    assert_eq!(created, url);
    // What a browser would be shown.
    let (port, path) = url.trim().strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).unwrap();
    let page = http::call(port.parse().unwrap(), "GET", &format!("/{}", path.replacen('?', "lab?", 1)), "").unwrap();
    assert!(page.status == 200 && page.body.contains("jupyter-config-data"), "{} {}", page.status, page.body);

    // The zero-configuration form, in cells, with the outputs kept.
    let cell = |id: &str, source: &str| json!({"cell_type": "code", "id": id, "metadata": {}, "source": source, "execution_count": null, "outputs": []});
    let notebook = json!({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [
            cell("a", "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()"),
            cell("b", "spark.range(1000).count()"),
            cell("c", "spark.stop()"),
        ],
    });
    let (file, out) = (yard.files.join("count.ipynb"), yard.files.join("done.ipynb"));
    std::fs::write(&file, notebook.to_string()).unwrap();
    yard.give(&file);
    let (file, out) = (file.display().to_string(), out.display().to_string());
    assert_eq!(verb(&["run", "second", &file, "--output", &out]).trim(), "1000");
    let done: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let outputs = done["cells"][1]["outputs"].as_array().unwrap();
    assert!(outputs.iter().any(|output| output["data"]["text/plain"] == "1000"), "{done:#}");
    nothing_left(yard);

    // A cell that fails: exit code 1, its outputs kept all the same.
    let failing = yard.files.join("failing.py");
    std::fs::write(&failing, "print('before')\nraise ValueError('on purpose')").unwrap();
    yard.give(&failing);
    let output = yard.emberyard(&["notebook", "run", "second", &failing.display().to_string(), "--output", &out]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let kept = std::fs::read_to_string(&out).unwrap();
    assert!(kept.contains("before") && kept.contains("on purpose"), "{kept}");

    let listed = || -> Value { serde_json::from_str(&verb(&["list", "-o", "json"])).unwrap() };
    let phase = |list: &Value| {
        let all = list.as_array().unwrap();
        all.iter().find(|book| book["name"] == "second").map(|book| book["phase"].to_string())
    };
    verb(&["stop", "second"]);
    yard.until("stopped", Duration::from_secs(60), || match phase(&listed()).as_deref() {
        Some("\"Stopped\"") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    verb(&["delete", "second"]);
    yard.until("deleted", Duration::from_secs(60), || {
        let pods = yard.kubectl_ok(&["get", "pods", "-l", "app.kubernetes.io/instance=second", "-o", "name"]);
        match phase(&listed()) {
            None if pods.is_empty() => Ok(()),
            other => Err(format!("{other:?} {pods}")),
        }
    });
}
