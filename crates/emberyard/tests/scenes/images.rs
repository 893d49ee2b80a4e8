//! Images go out to another tool and come in from it.

use crate::owners;
use crate::yard::{Yard, needed, text};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_foreign_image_made_of_an_exported_one_runs() {
    for owner in owners() {
        let yard = Yard::up_as(owner, &["--nodes", "1..1", "--notebook", "none"]);
        let archive = |name: &str| yard.files.join(name).display().to_string();
        let export = |file: &str| {
            let output = yard.emberyard(&["image", "export", "debian-base", file]);
            assert!(output.status.success(), "{}", text(&output));
        };
        export(&archive("base.tar"));
        export(&archive("again.tar"));
        let same = Command::new("cmp").args([archive("base.tar"), archive("again.tar")]).status().unwrap();
        assert!(same.success(), "two exports of an image differ");
        foreign(&yard, &archive("base.tar"));
        yard.down();
    }
}

/// umoci's image, imported and run as a pod.
fn foreign(yard: &Yard, exported: &str) {
    let repacked =
        Command::new(needed("EMBERYARD_TEST_XTASK")).args(["repack", exported, "foreign.tar"]).output().unwrap();
    assert!(repacked.status.success(), "{}", text(&repacked));
    let file = Path::new(exported).with_file_name("foreign.tar");
    yard.give(&file);
    let imported = yard.emberyard(&["image", "import", &file.display().to_string()]);
    assert!(imported.status.success(), "{}", text(&imported));
    yard.kubectl_ok(&["run", "foreign", "--image=foreign", "--restart=Never", "--image-pull-policy=Never"]);
    yard.until("the foreign pod has ended", Duration::from_secs(60), || {
        let phase = yard.kubectl_ok(&["get", "pod", "foreign", "-o", "jsonpath={.status.phase}"]);
        if phase == "Succeeded" { Ok(()) } else { Err(phase) }
    });
    assert_eq!(yard.kubectl_ok(&["logs", "foreign"]), "from elsewhere\n");
    let look = "echo $WHENCE; ls /etc/debian_version; stat -c 'links %h' '/opt/foreign/a word'";
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
    for wanted in ["umoci\n", "cannot access '/etc/debian_version'", "links 2\n"] {
        assert!(seen.contains(wanted), "{wanted:?}: {seen}");
    }
}
