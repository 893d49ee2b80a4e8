//! A kernel's driver is ready before it is asked for, with the real parts: who gets it, who doesn't, what is left.

use crate::CONTEXT;
use crate::yard::Yard;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

/// The kernel's own view of the driver that it prepares.
const READY: &str = r#"
import os, time, spark_warm
warm = spark_warm.KERNEL.warm
while warm.state in ("starting", "rehearsing"): time.sleep(0.1)
assert warm.state == "ready", warm.state
jvm = warm.marks[-1].getsockname().decode().rpartition("-")[2]
"#;

const WORK: &str = r#"
print(sc.parallelize(range(1000)).sum(), sc.uiWebUrl.rpartition(":")[2], warm.state)
sc.stop()
"#;

/// Whether drivers and executors map the class-data archive of their image: a JVM that can't use it says nothing, it is only slow.
const ARCHIVE: &str = r#"
def archived(processes):
    import glob
    def maps_of(process):
        try:
            return open(process).read()
        except OSError:  # it has just ended
            return ""
    return any("spark.jsa" in maps_of(process) for process in glob.glob(f"/proc/{processes}/maps"))
assert archived(jvm), "the driver"
assert sc.parallelize(range(2), 2).map(lambda _: archived("[0-9]*")).collect() == [True, True], "executors"
"#;

/// Workers import pyspark as it is installed, compiled, and not from Spark's zip, where it is compiled at each start.
const COMPILED: &str = r#"
def origin(_):
    import pyspark
    return pyspark.__cached__
assert all(map(os.path.isfile, sc.parallelize(range(2), 2).map(origin).collect())), "compiled"
"#;

const POD: &str = "my-pyspark-notebook-0";

/// Processes of the notebook's pod whose command line holds a word, by their number there.
fn processes(yard: &Yard, word: &str) -> Vec<(String, String)> {
    let all = yard.kubectl_ok(&["exec", POD, "-c", "notebook", "--", "ps", "-ww", "-eo", "pid=,args="]);
    let lines = all.lines().filter_map(|line| line.trim().split_once(' '));
    lines.filter(|(_, line)| line.contains(word)).map(|(pid, line)| (pid.to_owned(), line.to_owned())).collect()
}

/// Spark drivers, and what is on the way to be one.
fn drivers(yard: &Yard) -> Vec<(String, String)> {
    [processes(yard, "deploy.SparkSubmit"), processes(yard, "spark_rehearsal")].concat()
}

fn no_driver(yard: &Yard) {
    yard.until("no driver", Duration::from_secs(30), || match drivers(yard).as_slice() {
        [] => Ok(()),
        left => Err(format!("{left:?}")),
    });
}

/// What lies in the user's folder.
fn files(yard: &Yard) -> BTreeSet<OsString> {
    std::fs::read_dir(&yard.files).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// What the Spark UI's door tells the operator.
fn counted(yard: &Yard) -> String {
    let page = "/api/v1/namespaces/default/services/my-pyspark-notebook-spark-ui:4040/proxy/emberyard/session";
    yard.kubectl_ok(&["get", "--raw", page])
}

#[test]
fn a_kernel_has_its_driver_ready() {
    let yard = Yard::up(&[]);
    let before = files(&yard);
    // T8 as the tutorial has it, up to the context.
    let (conf, _) = CONTEXT.split_once("sc = ").unwrap();
    // The tutorial's context, then one without any settings in the same kernel.
    let again = "sc = pyspark.SparkContext()\n";
    let printed = yard.run(&format!("{READY}{conf}sc = pyspark.SparkContext(conf=conf)\n{WORK}{again}{WORK}"));
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["499500 4040 taken", "499500 4040 taken"]);
    // The zero-configuration form; the JVM is the one that was ready.
    let session = "from pyspark.sql import SparkSession\nsc = SparkSession.builder.getOrCreate().sparkContext\n\
                   assert str(sc._jvm.java.lang.ProcessHandle.current().pid()) == jvm\n";
    assert_eq!(yard.run(&format!("{READY}{session}{ARCHIVE}{COMPILED}{WORK}")).trim(), "499500 4040 taken");
    // A setting that counts when the JVM starts.
    let roomy = "conf.set('spark.driver.memory', '2g')\nsc = pyspark.SparkContext(conf=conf)\n\
                 assert 1900 < sc._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20 <= 2048\n";
    assert_eq!(yard.run(&format!("{READY}{conf}{roomy}{WORK}")).trim(), "499500 4040 gone");
    no_driver(&yard);

    // Killed before it was asked for: no session was counted, and nothing is left.
    let marker = yard.files.join("ready");
    let wait = format!("{READY}open('{}', 'w').close()\ntime.sleep(600)\n", marker.display());
    let mut running = yard.start(&wait);
    yard.until("a driver that is ready", Duration::from_secs(120), || {
        marker.exists().then_some(()).ok_or_else(|| "not ready".to_owned())
    });
    std::fs::remove_file(&marker).unwrap();
    let prepared = drivers(&yard);
    assert!(prepared.len() == 1 && prepared[0].1.contains("SparkSubmit"), "{prepared:?}");
    assert!(counted(&yard).contains("\"drivers\": 0"), "{}", counted(&yard));
    let kernels = processes(&yard, "ipykernel_launcher");
    assert_eq!(kernels.len(), 1, "{kernels:?}");
    yard.kubectl_ok(&["exec", POD, "-c", "notebook", "--", "kill", "-9", &kernels[0].0]);
    yard.until("the end of the driver", Duration::from_secs(30), || {
        let left = drivers(&yard);
        if left.contains(&prepared[0]) { Err(format!("{left:?}")) } else { Ok(()) }
    });
    // Jupyter starts the kernel anew, which prepares a driver; it goes with the session.
    yard.until("the end of the session", Duration::from_secs(60), || {
        running.has_ended().then_some(()).ok_or_else(|| "it runs".to_owned())
    });
    no_driver(&yard);
    assert_eq!(files(&yard), before, "the user's folder");

    // Off by one setting.
    let off = r#"{"spec": {"warmSession": false}}"#;
    yard.kubectl_ok(&["patch", "notebooks.emberyard.dev", "my-pyspark-notebook", "--type", "merge", "-p", off]);
    yard.kubectl_ok(&["delete", "pod", POD]);
    yard.until("the notebook again", Duration::from_secs(120), || {
        let switch = "jsonpath={.spec.containers[0].env[?(@.name==\"EMBERYARD_WARM\")].value}/{.status.conditions[?(@.type==\"Ready\")].status}";
        let found = yard.kubectl(&["get", "pod", POD, "-o", switch]);
        if String::from_utf8_lossy(&found.stdout) == "off/True" { Ok(()) } else { Err(crate::yard::text(&found)) }
    });
    let printed = yard.run(&format!(
        "import spark_warm, pyspark\nwarm = spark_warm.KERNEL.warm\nassert warm is None\n{conf}\
         sc = pyspark.SparkContext(conf=conf)\nprint(sc.parallelize(range(1000)).sum(), spark_warm.KERNEL.warm)\nsc.stop()"
    ));
    assert_eq!(printed.trim(), "499500 None");
    yard.down();
}
