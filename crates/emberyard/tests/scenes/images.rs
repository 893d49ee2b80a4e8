//! Images go out to another runtime and come in from another tool.

use crate::yard::{Yard, needed, owners, text};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What an xtask of the runtime's image prints.
fn runtime(words: &[&str]) -> String {
    let output = Command::new(needed("EMBERYARD_TEST_XTASK")).arg("runtime").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}:\n{}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn another_runtime_starts_what_was_exported_and_a_foreign_image_runs() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &["--nodes", "1..1", "--notebook", "none"]);
        let archive = |name: &str| yard.files.join(name).display().to_string();
        let export = |image: &str, file: &str| {
            let output = yard.emberyard(&["image", "export", image, file]);
            assert!(output.status.success(), "{}", text(&output));
        };
        // A large one, as root only: it is the same work for others.
        if owner.is_none() {
            export("spark-py", &archive("spark.tar"));
            let code = "import pyspark; print('spark', pyspark.__version__)";
            let printed = runtime(&["run", &archive("spark.tar"), "python3", "-c", code]);
            assert!(printed.lines().any(|line| line.starts_with("spark 4.")), "{printed}");
        }
        let exported = archive("base.tar");
        export("debian-base", &exported);
        export("debian-base", &archive("again.tar"));
        assert!(same(&exported, &archive("again.tar")), "two exports of an image differ");
        foreign(&yard, &exported);
        yard.down();
    }
}

/// umoci's image, imported and run as a pod.
fn foreign(yard: &Yard, exported: &str) {
    runtime(&["repack", exported, "foreign.tar"]);
    let file = Path::new(exported).with_file_name("foreign.tar");
    yard.give(&file);
    let imported = yard.emberyard(&["image", "import", &file.display().to_string(), "--name", "foreign"]);
    assert!(imported.status.success(), "{}", text(&imported));
    yard.kubectl_ok(&["run", "foreign", "--image=foreign", "--restart=Never", "--image-pull-policy=Never"]);
    yard.until("the foreign pod has ended", Duration::from_secs(60), || {
        let phase = yard.kubectl_ok(&["get", "pod", "foreign", "-o", "jsonpath={.status.phase}"]);
        if phase == "Succeeded" { Ok(()) } else { Err(phase) }
    });
    assert_eq!(yard.kubectl_ok(&["logs", "foreign"]), "from elsewhere\n");
    let look = "echo $WHENCE; ls /etc/debian_version; stat -c '%a %h' '/opt/foreign/a word'";
    let words = [
        "run",
        "look",
        "--image=foreign",
        "--restart=Never",
        "--attach",
        "--quiet",
        "--command",
        "--",
        "sh",
        "-c",
        look,
    ];
    let seen = text(&yard.kubectl(&words));
    for wanted in ["umoci\n", "cannot access '/etc/debian_version'", "751 2\n"] {
        assert!(seen.contains(wanted), "{wanted:?}: {seen}");
    }
}

/// Whether two files have the same bytes.
fn same(one: &str, other: &str) -> bool {
    Command::new("cmp").args([one, other]).status().unwrap().success()
}
