//! What is decided about a driver's start, case by case.

use super::{asset, kernel_folder, python};
use std::process::Command;

const WHY_COLD: &str = r#"
from spark_start import why_cold, environment, defaults
env, cwd, conf = "the environment", "the working directory", "Spark's configuration"
then = {env: environment({"A": "1", "_": "x"}), cwd: "/w", conf: {}}
now = lambda **more: {env: environment({"A": "1", **more}), cwd: "/w", conf: {}}
tutorial = {"spark.master": "k8s://https://k:443", "spark.executor.instances": "2", "spark.driver.host": "h",
            "spark.driver.port": "29413", "spark.kubernetes.container.image": "i", "spark.executor.memory": "2g",
            "spark.sql.shuffle.partitions": "8", "spark.hadoop.fs.s3a.endpoint": "e", "spark.app.name": "n",
            "spark.executor.extraJavaOptions": "-Dx=y", "spark.jarsx": "1"}
file = defaults("! no\n spark.driver.memory 2g \nspark.a=b\nspark.c:d e\nspark.jars.packages a:b:1\nnonsense\n")
assert file == {"spark.driver.memory": "2g", "spark.a": "b", "spark.c": "d e", "spark.jars.packages": "a:b:1"}, file
table = [
    (tutorial, {}, now(), None),
    ({}, {}, now(), None),
    ({}, {}, now(_="other", LINES="40", MPLBACKEND="agg"), None),
    ({"spark.master": "local[2]"}, {}, now(), None),
    ({"spark.driver.memory": "2g"}, file, now(), None),
    ({"spark.driver.memory": "2g"}, {}, now(), "spark.driver.memory"),
    ({"spark.driver.memory": "3g"}, file, now(), "spark.driver.memory"),
    ({"spark.driver.extraJavaOptions": "-Dx=y"}, {}, now(), "extraJavaOptions"),
    ({"spark.driver.extraClassPath": "/x"}, {}, now(), "extraClassPath"),
    ({"spark.driver.extraLibraryPath": "/x"}, {}, now(), "extraLibraryPath"),
    ({"spark.jars": "/x.jar"}, {}, now(), "spark.jars"),
    ({"spark.jars.packages": "a:b:2"}, file, now(), "spark.jars.packages"),
    ({"spark.local.dir": "/x"}, {}, now(), "spark.local.dir"),
    ({"spark.files": "/x"}, {}, now(), "spark.files"),
    ({"spark.submit.pyFiles": "/x"}, {}, now(), "spark.submit.pyFiles"),
    ({"spark.kerberos.keytab": "/x"}, {}, now(), "spark.kerberos"),
    ({"spark.hadoop.hadoop.security.authentication": "kerberos"}, {}, now(), "security"),
    ({"spark.sql.broadcastExchange.maxThreadThreshold": "1"}, {}, now(), "maxThreadThreshold"),
    ({"spark.master": "yarn"}, {}, now(), "master"),
    ({"spark.remote": "local"}, {}, now(), "spark.remote"),
    ({}, {}, now(PYSPARK_SUBMIT_ARGS="--packages x pyspark-shell"), "environment"),
    ({}, {}, now(A="2"), "environment"),
    ({}, {}, {**now(), cwd: "/elsewhere"}, "directory"),
    ({}, {}, {**now(), conf: {"/c/spark-defaults.conf": (1, 2)}}, "configuration"),
]
for wanted, file, after, why in table:
    said = why_cold(wanted, file, then, after)
    assert (said is None) == (why is None) and (why is None or why in said), (wanted, why, said)
"#;

const ARCHIVE: &str = r#"
import os, sys
from spark_start import archive_options
home = sys.argv[1]
os.makedirs(home + "/jars")
for name in ("b.jar", "a.jar", "readme"):
    open(f"{home}/jars/{name}", "w").close()
asked = []
def options(variables=(), settings=(), files=(), fits=True):
    everything = {"SPARK_HOME": home, "SPARK_CONF_DIR": "/c", **dict(variables)}
    return archive_options(everything, settings, files, "/x.jsa", lambda path: asked.append(path) or fits)
jars = f"{home}/jars/a.jar:{home}/jars/b.jar"
assert options().startswith(f"-cp {jars}:/c -XX:SharedArchiveFile=/x.jsa "), options()
assert asked[0] == jars
assert options({"HADOOP_CONF_DIR": "/h"}).startswith(f"-cp {jars}:/c:/h "), "the folders that Spark adds"
own = "/opt/emberyard/locality.jar"
assert options({"SPARK_DIST_CLASSPATH": own}).startswith(f"-cp {jars}:{own}:/c "), "the image's own comes behind"
assert options(settings={"spark.executor.extraClassPath"}), "the executors' class path is another"
for refused in (
    {"fits": False},
    {"settings": {"spark.driver.extraClassPath"}},
    {"variables": {"SPARK_SUBMIT_OPTS": "-Dx=y"}},
    {"variables": {"SPARK_DIST_CLASSPATH": "/d"}},
    {"variables": {"PYSPARK_SUBMIT_ARGS": "--driver-class-path /d pyspark-shell"}},
    {"variables": {"PYSPARK_SUBMIT_ARGS": "--properties-file /d pyspark-shell"}},
    {"variables": {"SPARK_CONF_DIR": "/with blank"}},
    {"variables": {"SPARK_HOME": "/none"}},
    {"files": ["/c/spark-env.sh"]},
):
    assert options(**refused) is None, refused
"#;

const USES: &str = r#"
import json
from spark_start import uses_spark, free_mib
code = lambda *sources: json.dumps({"cells": [{"cell_type": "code", "source": s} for s in sources]})
for text, uses in [
    ("", True), ("nonsense", True), ("{}", True), ("[]", True), (code(), True), (code("", " "), True),
    (code("import pandas"), False), (code("import pandas", ["x = 1\n", "from PySpark import a"]), True),
    (json.dumps({"cells": [{"cell_type": "markdown", "source": "spark"}, {"cell_type": "code", "source": "1"}]}), False),
]:
    assert uses_spark(text) == uses, text
assert free_mib("MemTotal: 9 kB\nMemAvailable:   2097152 kB\n") == 2048
assert free_mib("") > 0
"#;

const COUNTED: &str = r#"
import os, socket, subprocess, sys
import spark_door
def start(address, *words):
    code = f"import socket; s = socket.create_server(('{address}', 0)); print('listens', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"listens\n"
    return process
driver = start("0.0.0.0", "org.apache.spark.deploy.SparkSubmit")
bare = start("127.0.0.1", "org.apache.spark.deploy.SparkSubmit")  # a driver that has no context yet
launcher = start("0.0.0.0", "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit")
processes, listdir = [str(one.pid) for one in (driver, bare, launcher)] + ["self"], os.listdir
# Other drivers of this machine are not ours.
spark_door.os.listdir = lambda folder: processes if folder == "/proc" else listdir(folder)
assert spark_door.drivers() == 1, spark_door.drivers()
for marked in (driver.pid, os.getpid()):
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mark.bind(f"\0emberyard-warm-{marked}")
    assert spark_door.drivers() == 0, marked
    mark.close()
    assert spark_door.drivers() == 1
driver.kill(), bare.kill(), launcher.kill()
"#;

#[test]
fn decisions_about_the_start_of_a_driver() {
    let Some(python) = python("decisions_about_the_start_of_a_driver") else { return };
    let folder = tempfile::tempdir().unwrap();
    let modules = kernel_folder(folder.path()).join("profile_default");
    std::fs::write(modules.join("spark_door.py"), asset("spark_door.py")).unwrap();
    for script in [WHY_COLD, ARCHIVE, USES, COUNTED] {
        let output = Command::new(&python)
            .args(["-c", script])
            .arg(folder.path().join("spark"))
            .env("PYTHONPATH", &modules)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
