//! What a notebook's user is told of how local jobs read HDFS.

use super::{asset, python};
use emberyard_model::HdfsScore;
use std::path::Path;
use std::process::Command;

/// Answers of Spark 4.3's REST API about jobs that read HDFS, a local file and a cached data set.
const RECORDED: &str = include_str!("score.json");

const TABLE: &str = r#"
import json, sys, spark_score
recorded, sentences = json.load(open("score.json")), json.load(open("sentences.json"))

for score, wanted in sentences:
    assert spark_score.line(score) == wanted, (spark_score.line(score), wanted)

# Tasks on HDFS have places that they prefer; those on local files and on their executor's cache have none.
for name, wanted in {"hdfs": (8, 4), "local": (0, 0), "cached": (0, 0)}.items():
    score = spark_score.of_tasks(recorded["tasks"][name])
    assert (score["tasks"], score["localTasks"]) == wanted, (name, score)
hdfs = spark_score.of_tasks(recorded["tasks"]["hdfs"])
assert 0 < hdfs["localBytes"] < hdfs["bytes"] == 6951034, hdfs

read = [stage["stageId"] for stage in spark_score.to_look_at(recorded["stages"])]
assert read == recorded["reading"], read
bare = {"stageId": 1, "attemptId": 0, "status": "COMPLETE", "inputBytes": 9, "numTasks": 1, "rddIds": [7]}
assert not spark_score.to_look_at([{**bare, "status": "ACTIVE"}, {**bare, "inputBytes": 0}])

def task(locality="NODE_LOCAL", size=9, status="SUCCESS"):
    return {"status": status, "taskLocality": locality, "taskMetrics": {"inputMetrics": {"bytesRead": size}}}

one = {"tasks": 1, "localTasks": 1, "bytes": 9, "localBytes": 9}
far = {"tasks": 1, "localTasks": 0, "bytes": 9, "localBytes": 0}
for tasks, wanted in [
    ([task()], one), ([task("ANY")], far), ([task("RACK_LOCAL")], far), ([task("PROCESS_LOCAL")], spark_score.NOTHING),
    ([task(size=0)], spark_score.NOTHING), ([task(status="KILLED")], spark_score.NOTHING),
    ([{"status": "SUCCESS", "taskLocality": "ANY"}], spark_score.NOTHING),
]:
    assert spark_score.of_tasks(tasks) == wanted, tasks

class Store:
    """One stage of one task for each answer."""
    application, knows_hdfs, more, kept = "a", True, False, set()
    def __init__(self, *stages): self.stages = list(stages)
    def settle(self): pass
    def stages_since(self, first): return [s for s in self.stages if s["stageId"] >= first], self.more
    def tasks(self, stage, most): return [task(stage.get("locality", "NODE_LOCAL"))][:most]
    def cached(self): return self.kept

store = Store({**bare, "stageId": 3}, {**bare, "stageId": 4, "description": "id = x<br/>runId = y<br/>batch = 1"})
session = spark_score.Session(store)
assert session.look() == (one, False) and session.score["tasks"] == 2, "a stream's reading is the session's only"
assert session.look() == (spark_score.NOTHING, False), "told once"

# A cache that was whole before is not HDFS, wherever it is read.
store.stages, store.kept = [{**bare, "stageId": 5}], {7}
assert session.look()[0] == one
store.stages = [{**bare, "stageId": 6, "locality": "ANY"}]
assert session.look()[0] == spark_score.NOTHING and session.score["tasks"] == 3

# Of very many tasks some are looked at, and it says so.
store.stages, store.kept = [{**bare, "stageId": 7, "rddIds": [], "numTasks": 5000}, {**bare, "stageId": 8, "rddIds": []}], set()
assert session.look() == (one, True)

shown, told = [], []
scores = spark_score.Scores(None, shown.append, lambda *said: told.append(said))
scores.session = spark_score.Session(Store({**bare, "stageId": 1}))
import contextvars, threading
def look():
    looked = threading.Event()
    scores.step(type("Context", (), {"applicationId": "a"}), contextvars.copy_context(), looked)
    assert looked.is_set()
look(), look()
assert shown == ["HDFS: 1 of 1 tasks read their blocks on their own node (9 of 9 B)"] and told == [("a", one)], (shown, told)
scores.session.store.settle = lambda: 1 / 0  # Spark does not answer
look()
scores.session.store = Store({**bare, "stageId": 2})
scores.session.store.knows_hdfs = False
look()
assert len(shown) == len(told) == 1
scores.context = lambda: None
scores.after_cell()  # no Spark

# A driver that hangs delays one cell, and not for long.
spark_score.PATIENCE, hangs, asked = 0.01, threading.Event(), []
scores.session.store.knows_hdfs = True
scores.session.store.settle = lambda: (asked.append(1), hangs.wait(60))
scores.context = lambda: type("Context", (), {"applicationId": "a", "_jsc": "there"})
scores.after_cell(), scores.after_cell(), scores.after_cell()
hangs.set()
assert scores.looked.wait(60) and asked == [1], asked
"#;

/// A driver with an HDFS that it never reads: a local file and a cached data set are not taken for one.
const REAL: &str = r#"
import sys
import pyspark, spark_score
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.hadoop.dfs.nameservices", "nowhere").getOrCreate()
store = spark_score.Store(spark.sparkContext)
session = spark_score.Session(store)
assert store.knows_hdfs
spark.range(1000).write.csv(f"file://{sys.argv[1]}/rows")
frame = spark.read.csv(f"file://{sys.argv[1]}/rows").cache()
assert frame.count() == 1000 and frame.count() == 1000
store.settle()
stages, more = store.stages_since(0)
reading = spark_score.to_look_at(stages)
assert len(reading) >= 3 and not more, stages
assert all(store.tasks(stage, 1000) for stage in reading)
assert session.look() == (spark_score.NOTHING, False)
assert session.next == max(stage["stageId"] for stage in stages) + 1 and len(session.cached) == 1
shown = []
scores = spark_score.Scores(lambda: spark.sparkContext, shown.append, None)
scores.after_cell()
spark.stop()
scores.after_cell()
assert shown == []
"#;

fn run(python: &Path, folder: &Path, script: &str) {
    std::fs::write(folder.join("spark_score.py"), asset("spark_score.py")).unwrap();
    let ran = Command::new(python)
        .args(["-c", script, folder.to_str().unwrap()])
        .current_dir(folder)
        .env("PYTHONPATH", folder)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn scores_are_of_hdfs_alone_and_said_as_status_says_them() {
    let Some(python) = python("scores_are_of_hdfs_alone_and_said_as_status_says_them") else { return };
    let folder = tempfile::tempdir().unwrap();
    let score = |tasks, local_tasks, bytes, local_bytes| HdfsScore { tasks, local_tasks, bytes, local_bytes };
    let scores = [
        score(16, 16, 484 << 20, 484 << 20),
        score(4, 3, (10 << 20) - 1, 2 << 20),
        score(16, 0, 15 << 30, 0),
        score(1, 1, 1023, 1023),
        score(2, 1, 5 << 50, 1 << 50),
        score(1, 1, 1024, 1024),
        HdfsScore::default(),
    ];
    let sentences = scores.map(|score| (score, score.to_string()));
    std::fs::write(folder.path().join("sentences.json"), serde_json::to_string(&sentences).unwrap()).unwrap();
    std::fs::write(folder.path().join("score.json"), RECORDED).unwrap();
    run(&python, folder.path(), TABLE);
}

#[test]
fn a_real_driver_that_reads_no_hdfs_has_no_score() {
    let Some(python) = python("a_real_driver_that_reads_no_hdfs_has_no_score") else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), REAL);
}
