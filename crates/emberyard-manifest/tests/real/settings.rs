//! Which settings are refused before a context is made, and how an interrupt ends a cell's jobs.

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

const INTERRUPT: &str = r#"
import sys, types
import spark_interrupt
cancelled = []
context = types.SimpleNamespace(cancelAllJobs=lambda: cancelled.append(1))
sys.modules["pyspark"] = types.SimpleNamespace(SparkContext=types.SimpleNamespace(_active_spark_context=context))
ended = lambda error: spark_interrupt.cancel(types.SimpleNamespace(error_in_exec=error))
ended(None), ended(ValueError())
assert not cancelled
ended(KeyboardInterrupt())
assert cancelled == [1]
del sys.modules["pyspark"]
ended(KeyboardInterrupt())
"#;

#[test]
fn settings_and_interrupts() {
    let Some(python) = python("settings_and_interrupts") else { return };
    let folder = tempfile::tempdir().unwrap();
    let modules = kernel_folder(folder.path()).join("profile_default");
    for script in [TABLE, INTERRUPT] {
        let output = Command::new(&python).args(["-c", script]).env("PYTHONPATH", &modules).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
