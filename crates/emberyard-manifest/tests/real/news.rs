//! What a notebook's user is told of waiting and ended executors.

use super::{asset, python};
use std::process::Command;

const TABLE: &str = r#"
import datetime, spark_news
now = datetime.datetime(2026, 1, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
boots = {"pods": ["e-3", "e-4"], "why": "no room; node node-3 boots.", "expected": "2026-01-01T12:00:05Z"}
never = {"pods": ["e-1"], "why": "it can never run.", "never": True}
waits = [
    ({"application": "a", "running": 2}, None),
    ({"application": "a", "running": 2, "waiting": [boots]},
     "Spark: 2 executors run. 2 executors wait: no room; node node-3 boots. About 5 s."),
    ({"application": "a", "waiting": [never]}, "Spark: 0 executors run. 1 executor waits: it can never run."),
]
for session, wanted in waits:
    assert spark_news.wait_line(session, now) == wanted, spark_news.wait_line(session, now)
assert spark_news.seconds_until("2026-01-01T11:00:00Z", now) == 1  # late, but still expected

told = set()
session = {"ended": [{"pod": "e-1", "what": "out of memory.", "cure": "Raise it."}, {"pod": "e-2", "what": "killed."}]}
assert spark_news.end_lines(session, told) == [
    "Spark: e-1 ended: out of memory. Raise it.", "Spark: e-2 ended: killed."]
assert spark_news.end_lines(session, told) == []

old, new = {"application": "a", "since": "2026-01-01T11:00:00Z"}, {"application": "b", "since": "2026-01-01T12:00:00Z"}
cell = "2026-01-01T12:00:00Z"
assert spark_news.of_this_kernel([old, new], "a", cell) == [old]
assert spark_news.of_this_kernel([old, new], None, cell) == [new]  # its context is still being made

shown = []
def show(data, handle):
    shown.append(data["text/plain"])
    return "handle"

class Status:
    answers = [[], [{"application": "b", "since": cell, "waiting": [never]}], [{"application": "b", "since": cell, "running": 2}]]
    def sessions(self):
        return self.answers.pop(0)

spark_news.spark_is_used = lambda: (True, None)
news = spark_news.News(Status(), show)
teller, first = spark_news.Teller(show), None
for _ in range(3):
    first = news.look(teller, cell, first)
assert shown == ["Spark: 0 executors run. 1 executor waits: it can never run.", ""], shown
spark_news.spark_is_used = lambda: (False, None)
assert news.look(teller, cell, None) is None  # no question is asked while Spark is not used

status, asked = spark_news.Status.__new__(spark_news.Status), []
status.config_maps = "/maps"
def ask(path, patch=None):
    asked.append((path, patch))
    return {"items": [{"metadata": {"name": "m"}}]}
status.ask = ask
status.note("spark-1", {"tasks": 1})
note = {"metadata": {"annotations": {spark_news.SCORE: '{"tasks": 1}'}}}
assert asked == [("/maps?labelSelector=spark-app-selector%3Dspark-1", None), ("/maps/m", note)], asked
"#;

#[test]
fn waiting_and_ends_are_told() {
    let Some(python) = python("waiting_and_ends_are_told") else { return };
    assert!(asset("spark_news.py").contains(emberyard_model::score::SCORE_ANNOTATION));
    let folder = tempfile::tempdir().unwrap();
    for name in ["spark_news.py", "spark_score.py"] {
        std::fs::write(folder.path().join(name), asset(name)).unwrap();
    }
    let ran = Command::new(python)
        .args(["-c", TABLE])
        .current_dir(folder.path())
        .env("PYTHONPATH", folder.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
