//! A driver that a kernel prepared, with stock PySpark: who gets it, who doesn't, and what is left of it.

use super::{Process, kernel_folder, python};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An IPython application, as a kernel is one; what it finds out goes into a file, since its output goes to its clients.
const KERNEL: &str = r#"
from ipykernel.kernelapp import IPKernelApp
import os, sys, time, traceback
app = IPKernelApp.instance()
app.initialize(["--IPKernelApp.connection_file=" + os.environ["RUN"] + "/kernel.json"])
import spark_warm
warm = spark_warm.KERNEL.warm
def until(check):
    end = time.monotonic() + 240
    while not check():
        assert time.monotonic() < end, (warm.state, sys.argv)
        time.sleep(0.05)
def said(text):
    with open(os.environ["RUN"] + "/said.new", "w") as file:
        file.write(text)
    os.rename(os.environ["RUN"] + "/said.new", os.environ["RUN"] + "/said")
def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
def conf(**more):
    settings = SparkConf().setMaster("local[1]").setAppName("mine").set("spark.ui.enabled", "false")
    for key, value in more.items():
        settings.set(key.replace("_", "."), value)
    return settings
try:
    exec(sys.argv[1])
except BaseException:
    said(traceback.format_exc())
    os._exit(1)
said("good")
os._exit(0)
"#;

const TAKEN: &str = r#"
until(lambda: warm.state != "starting" and warm.state != "rehearsing")
assert warm.state == "ready", warm.state
assert "pyspark" not in sys.modules, "the kernel is as new"
before = dict(os.environ)
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
jvm = warm.marks[-1].getsockname().decode().rpartition("-")[2]
context = SparkContext(conf=conf(spark_mine="1"))
assert warm.state == "taken" and not warm.marks
assert context._jvm.java.lang.ProcessHandle.current().pid() == int(jvm)
assert context._jvm.java.lang.ProcessHandle.current().parent().get().pid() == os.getpid(), "as PySpark's own would be"
assert not {name for name in os.environ if "GATEWAY" in name or "SUBMIT" in name}, "nothing for other processes to find"
assert context.parallelize(range(10), 2).map(lambda i: i * 2).sum() == 90
session = SparkSession.builder.getOrCreate()
assert session.range(4).selectExpr("sum(id) AS s").first().s == 6
assert context.getConf().get("spark.app.name") == "mine" and context.getConf().get("spark.local.dir") is None
context.stop()
# As with a JVM that spark-submit started for it, a later context starts from the first one's settings.
second = SparkContext.getOrCreate()
assert second.getConf().get("spark.mine") == "1" and second.master == "local[1]" and second.appName == "mine"
settings = {key for key, _ in second.getConf().getAll()}
assert not {key for key in settings if "kubernetes" in key or "warehouse" in key}, settings
second.stop()
assert os.listdir(".") == [], os.listdir(".")
"#;

const IN_A_HURRY: &str = r#"
from pyspark import SparkConf, SparkContext
context = SparkContext(conf=conf())
assert warm.state == "taken", warm.state
assert context.parallelize(range(10), 2).sum() == 45
context.stop()
"#;

const NEEDS_ITS_OWN: &str = r#"
until(lambda: warm.state == "ready")
jvm = int(warm.marks[-1].getsockname().decode().rpartition("-")[2])
assert alive(jvm)
from pyspark import SparkConf, SparkContext
context = SparkContext(conf=conf(spark_driver_memory="700m"))
assert warm.state == "gone", warm.state
memory = context._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20
assert 600 < memory <= 700, memory
until(lambda: not alive(jvm))
until(lambda: not warm.marks)
context.stop()
"#;

const OFF: &str = "
assert warm is None
import pyspark
assert spark_warm.KERNEL.warm is None
";

/// Waits until ready, tells the process, and stays.
const WAITS: &str = r#"
until(lambda: warm.state == "ready")
said(warm.marks[-1].getsockname().decode().rpartition("-")[2])
time.sleep(600)
"#;

fn kernel(python: &Path, folder: &Path, code: &str) -> Command {
    for name in ["work", "home"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut command = Command::new(python);
    command
        .args(["-c", KERNEL, code])
        .env("IPYTHONDIR", kernel_folder(folder))
        .env("HOME", folder.join("home"))
        .env("RUN", folder)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .current_dir(folder.join("work"))
        .stdin(Stdio::null());
    command
}

fn good(python: &Path, code: &str, variables: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let output = kernel(python, folder.path(), code).envs(variables.iter().copied()).output().unwrap();
    let said = std::fs::read_to_string(folder.path().join("said")).unwrap_or_default();
    assert!(output.status.success() && said == "good", "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_context_gets_the_driver_that_its_kernel_prepared() {
    let Some(python) = python("a_context_gets_the_driver_that_its_kernel_prepared") else { return };
    good(&python, TAKEN, &[]);
    good(&python, IN_A_HURRY, &[]);
}

#[test]
fn a_context_that_needs_another_jvm_starts_its_own() {
    let Some(python) = python("a_context_that_needs_another_jvm_starts_its_own") else { return };
    good(&python, NEEDS_ITS_OWN, &[]);
    good(&python, OFF, &[("EMBERYARD_WARM", "off")]);
}

#[test]
fn a_killed_kernel_leaves_no_prepared_driver() {
    let Some(python) = python("a_killed_kernel_leaves_no_prepared_driver") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut kernel(&python, folder.path(), WAITS));
    let start = Instant::now();
    let jvm = loop {
        match std::fs::read_to_string(folder.path().join("said")) {
            Ok(said) => break said.parse::<u32>().unwrap_or_else(|_| panic!("{said}")),
            Err(_) => assert!(start.elapsed() < Duration::from_mins(5), "the driver never got ready"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let command_line = format!("/proc/{jvm}/cmdline");
    let is_driver = || std::fs::read_to_string(&command_line).is_ok_and(|line| line.contains("SparkSubmit"));
    assert!(is_driver(), "{jvm} is no driver");
    process.0.kill().unwrap(); // the kernel alone
    let start = Instant::now();
    while is_driver() {
        assert!(start.elapsed() < Duration::from_mins(1), "the driver outlives its kernel");
        std::thread::sleep(Duration::from_millis(50));
    }
}
