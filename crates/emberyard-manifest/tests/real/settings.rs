//! Which settings are refused before a context is made.

use super::{kernel_folder, python};
use std::process::Command;

const TABLE: &str = r#"
from spark_settings import problem
cores, mount = "spark.kubernetes.executor.request.cores", "spark.kubernetes.executor.volumes.hostPath.folder.mount.path"
table = [
    ({}, None),
    ({"spark.executor.instances": "0"}, None),
    ({"spark.executor.instances": "many"}, None),  # Spark refuses it
    ({"spark.executor.instances": "-1"}, "for example 2"),
    ({cores: "500m"}, None), ({cores: "1.5"}, None),
    ({cores: "0"}, "is 0"), ({cores: "-1"}, "is -1"), ({cores: "x"}, "for example 1, 0.5 or 500m"),
    ({mount: "/data"}, None), ({mount: "data"}, "begins with /"),
]
for settings, wanted in table:
    said = problem(settings)
    assert (said is None) == (wanted is None) and (wanted is None or wanted in said), (settings, said)
"#;

#[test]
fn settings_that_no_executor_can_come_of() {
    let Some(python) = python("settings_that_no_executor_can_come_of") else { return };
    let folder = tempfile::tempdir().unwrap();
    let modules = kernel_folder(folder.path()).join("profile_default");
    let output = Command::new(&python).args(["-c", TABLE]).env("PYTHONPATH", &modules).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
