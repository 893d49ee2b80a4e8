//! The program comes as a wheel, through the real pip, and goes again with all that it left.

use crate::owners;
use crate::yard::{Yard, needed, text};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const OTHERS: &str = "apiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n- name: work\n  cluster:\n    server: \
                      https://192.0.2.1\nusers:\n- name: work\ncontexts:\n- name: work\n  context:\n    cluster: work\n    user: work\n";

#[test]
fn installed_from_a_wheel_and_uninstalled() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &["--nodes", "1..1"]);
        let program = yard.files.join("prefix/bin/emberyard");
        install(&yard);
        let version = text(&yard.prepared_with(&program, &["--version"]).output().unwrap());
        assert_eq!(version.trim(), text(&yard.emberyard(&["--version"])).trim());
        for page in ["share/man/man1/emberyard-up.1", "share/bash-completion/completions/emberyard"] {
            assert!(yard.files.join("prefix").join(page).exists(), "{page}");
        }
        uninstall(&yard, &program);
    }
}

/// Into a folder of the user's own, by the notebook's pip: the machine has none.
fn install(yard: &Yard) {
    let wheels = yard.files.join("wheels");
    let made =
        Command::new(needed("EMBERYARD_TEST_XTASK")).arg("wheel").args([&yard.program(), &wheels]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let wheel = std::fs::read_dir(&wheels).unwrap().next().unwrap().unwrap().path();
    let [wheel, prefix] = [&wheel, &yard.files.join("prefix")].map(|path| path.display().to_string());
    let pip =
        ["python3", "-m", "pip", "install", "--no-index", "--no-warn-script-location", "--prefix", &prefix, &wheel];
    let pod = ["exec", "my-pyspark-notebook-0", "--"];
    yard.kubectl_ok(&[&pod[..], &pip].concat());
}

/// What goes is said before, the user's own stays.
fn uninstall(yard: &Yard, program: &Path) {
    let kubeconfig = yard.files.join("kubeconfig");
    std::fs::write(&kubeconfig, OTHERS).unwrap();
    yard.give(&kubeconfig);
    let run = |words: &[&str]| {
        let output = yard.prepared_with(program, words).env("KUBECONFIG", &kubeconfig).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["kubeconfig", "--merge"]);
    let named = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|place| place["path"].as_str().unwrap().to_owned()).collect()
    };
    let said: Value = serde_json::from_str(&run(&["uninstall", "-o", "json"])).unwrap();
    assert_eq!(named(&said["goes"]), [yard.dir(), kubeconfig.clone()].map(|path| path.display().to_string()));
    assert!(named(&said["stays"]).contains(&program.display().to_string()), "{said}");
    assert_eq!(said["done"], false);
    yard.kubectl_ok(&["get", "nodes"]);

    let unconfirmed = yard.prepared_with(program, &["uninstall"]).env("KUBECONFIG", &kubeconfig).output().unwrap();
    assert!(text(&unconfirmed).contains("EY-CLI-") && !unconfirmed.status.success(), "{}", text(&unconfirmed));
    yard.kubectl_ok(&["get", "nodes"]);

    let traces = yard.traces();
    let done: Value = serde_json::from_str(&run(&["uninstall", "--yes", "-o", "json"])).unwrap();
    assert_eq!(done["done"], true);
    yard.nothing_left_of(&traces);
    let left = std::fs::read_to_string(&kubeconfig).unwrap();
    assert!(left.contains("current-context: work") && !left.contains("emberyard"), "{left}");
    let again: Value = serde_json::from_str(&run(&["uninstall", "--yes", "-o", "json"])).unwrap();
    assert_eq!((&again["done"], named(&again["goes"]).len()), (&Value::Bool(false), 0));
}
