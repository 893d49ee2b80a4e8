//! A write that would be lost is stopped, others are not; the guard is there in a kernel by configuration alone.

use super::{kernel_folder, python};
use std::process::Command;

const TABLE: &str = r#"
import spark_guard, os
os.chdir("/tmp")
k8s = {"spark.master": "k8s://https://x", "spark.kubernetes.executor.volumes.hostPath.folder.mount.path": "/tmp"}
bare = {"spark.master": "k8s://https://x"}
table = [
    ("out", k8s, "file:///", None),
    ("/tmp/out", k8s, "file:///", None),
    ("file:///tmp/out", k8s, "file:///", None),
    ("/tmpx/out", k8s, "file:///", "Write below /tmp"),
    ("../home/out", k8s, "file:///", "/home/out"),
    ("file:/home/out", k8s, "hdfs://a", "/home/out"),
    ("/home/out", k8s, "hdfs://a", None),
    ("hdfs://a/out", k8s, "file:///", None),
    ("s3a://b/out", bare, "file:///", None),
    ("out", bare, "file:///", "emberyard up FOLDER"),
    ("/home/out", {"spark.master": "local[2]"}, "file:///", None),
]
for path, settings, fs, wanted in table:
    said = spark_guard.problem(path, settings, fs, "/tmp")
    assert (said is None) == (wanted is None) and (wanted is None or wanted in said), (path, said)
"#;

/// In an IPython application, as a kernel is one; the context is local, so what it says of itself is changed.
const KERNEL: &str = r#"
from ipykernel.kernelapp import IPKernelApp
import os, sys
app = IPKernelApp.instance()
app.initialize(["--IPKernelApp.connection_file=" + sys.argv[1]])
shell = app.shell
assert "spark_guard" in shell.extension_manager.loaded, shell.extension_manager.loaded
from pyspark.sql import SparkSession
import spark_guard
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
frame = spark.range(3)
frame.write.parquet("local")
frame.write.format("json").save("local2")
frame.rdd.saveAsTextFile("local3")
true_problem = spark_guard.problem
spark_guard.problem = lambda path, settings, fs, folder: true_problem(path, {"spark.master": "k8s://x"}, fs, folder)
for write in (lambda: frame.write.parquet("lost"), lambda: frame.write.format("csv").save("lost"), lambda: frame.rdd.saveAsTextFile("lost")):
    try:
        write()
        raise SystemExit("a write was not stopped")
    except OSError as error:
        assert "do not share" in str(error), error
assert not os.path.exists("lost")
os._exit(7)  # what a kernel prints goes to its clients; its exit code comes here
"#;

#[test]
fn a_write_that_would_be_lost_is_stopped() {
    let Some(python) = python("a_write_that_would_be_lost_is_stopped") else { return };
    let folder = tempfile::tempdir().unwrap();
    let ipython = kernel_folder(folder.path());
    let modules = ipython.join("profile_default");
    let table = Command::new(&python).args(["-c", TABLE]).env("PYTHONPATH", &modules).output().unwrap();
    assert!(table.status.success(), "{}", String::from_utf8_lossy(&table.stderr));

    let kernel = Command::new(&python)
        .args(["-c", KERNEL, "kernel.json"])
        .env("IPYTHONDIR", &ipython)
        .env("EMBERYARD_WARM", "off")
        .env("HOME", folder.path())
        .env("JUPYTER_RUNTIME_DIR", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(kernel.status.code(), Some(7), "{}", String::from_utf8_lossy(&kernel.stderr));
}
