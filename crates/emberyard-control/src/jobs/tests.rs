use super::{FinishedJobs, Jobs};
use crate::fake::Bench;
use crate::reconcile::Loop;
use crate::resources;
use emberyard_model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn bench(spec: &Value) -> Bench {
    let mut job = json!({"metadata": {"name": "sum", "namespace": "default", "uid": "job"},
        "spec": {"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
            "selector": {"matchLabels": {"job": "sum"}},
            "template": {"metadata": {"labels": {"job": "sum"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c"}]}}}});
    for (field, value) in spec.as_object().unwrap() {
        job["spec"][field] = value.clone();
    }
    if job["spec"]["completions"].is_null() {
        job["spec"].as_object_mut().unwrap().remove("completions");
    }
    let mut bench = Bench::new(NOW);
    bench.api.create(&resources::jobs(), job);
    bench.start(Box::new(Loop::new(Jobs::default())));
    bench.start(Box::new(Loop::new(FinishedJobs)));
    bench.settle();
    bench
}

/// Pods that have not ended.
fn running(bench: &Bench) -> Vec<String> {
    let pods = bench
        .api
        .objects
        .iter()
        .filter(|((of, ..), pod)| *of == resources::pods() && pod["status"].get("phase").is_none());
    pods.map(|((_, _, name), _)| name.clone()).collect()
}

fn end(bench: &mut Bench, name: &str, phase: &str) {
    let at = bench.now.rfc3339();
    bench.api.edit(&resources::pods(), "default", name, |pod| {
        pod["status"] = json!({"phase": phase, "containerStatuses": [{"name": "c", "state": {"terminated": {"finishedAt": at}}}]});
    });
    bench.settle();
}

fn status(bench: &Bench) -> Value {
    bench.api.get(&resources::jobs(), "default", "sum").unwrap()["status"].clone()
}

fn holds(bench: &Bench, type_: &str) -> Option<String> {
    let status = status(bench);
    let all = status["conditions"].as_array().cloned().unwrap_or_default();
    let one = all.into_iter().find(|one| one["type"] == type_ && one["status"] == "True")?;
    Some(one["reason"].as_str().unwrap().to_owned())
}

#[test]
fn so_many_successes_and_so_many_at_once() {
    let mut bench = bench(&json!({"completions": 3, "parallelism": 2}));
    assert_eq!(status(&bench)["startTime"], NOW.rfc3339());
    for left in [2, 2, 1] {
        assert_eq!(running(&bench).len(), left);
        assert_eq!(status(&bench)["active"], left);
        let first = running(&bench)[0].clone();
        end(&mut bench, &first, "Succeeded");
    }
    assert_eq!((holds(&bench, "Complete").as_deref(), running(&bench).len()), (Some("CompletionsReached"), 0));
    assert_eq!((&status(&bench)["succeeded"], &status(&bench)["completionTime"]), (&json!(3), &json!(NOW.rfc3339())));
    let requests = bench.api.seen.len();
    bench.crash();
    bench.start(Box::new(Loop::new(Jobs::default())));
    bench.settle();
    assert_eq!(bench.api.seen.len(), requests, "a restart changes nothing");
}

#[test]
fn without_a_number_one_success_is_the_last_word() {
    let mut bench = bench(&json!({"completions": null, "parallelism": 3}));
    for left in [3, 2, 1] {
        assert_eq!((running(&bench).len(), holds(&bench, "Complete")), (left, None));
        let first = running(&bench)[0].clone();
        end(&mut bench, &first, "Succeeded");
    }
    assert!(holds(&bench, "Complete").is_some());
}

#[test]
fn failures_are_tried_again_later_and_not_for_ever() {
    let mut bench = bench(&json!({"backoffLimit": 2}));
    for pause in [10, 20] {
        let pod = running(&bench)[0].clone();
        end(&mut bench, &pod, "Failed");
        assert_eq!(running(&bench).len(), 0, "it rests first");
        bench.pass(Duration::from_secs(pause - 1));
        assert_eq!(running(&bench).len(), 0);
        bench.pass(Duration::from_secs(2));
        assert_eq!(running(&bench).len(), 1);
    }
    let pod = running(&bench)[0].clone();
    end(&mut bench, &pod, "Failed");
    bench.pass(Duration::from_hours(1));
    assert_eq!((holds(&bench, "Failed").as_deref(), running(&bench).len()), (Some("BackoffLimitExceeded"), 0));
    assert_eq!(status(&bench)["failed"], 3);
}

#[test]
fn time_runs_out() {
    let mut bench =
        bench(&json!({"activeDeadlineSeconds": 30, "parallelism": 2, "completions": 2, "ttlSecondsAfterFinished": 60}));
    bench.pass(Duration::from_secs(29));
    assert_eq!(running(&bench).len(), 2);
    bench.pass(Duration::from_secs(2));
    assert_eq!((holds(&bench, "Failed").as_deref(), running(&bench).len()), (Some("DeadlineExceeded"), 0));
    bench.pass(Duration::from_secs(61));
    let job = bench.api.get(&resources::jobs(), "default", "sum").unwrap();
    assert!(job["metadata"]["deletionTimestamp"].is_string(), "a finished job goes after its time");
}

#[test]
fn a_suspended_job_has_no_pods() {
    let mut bench = bench(&json!({"suspend": true}));
    assert_eq!((running(&bench).len(), holds(&bench, "Suspended").as_deref()), (0, Some("JobSuspended")));
    let suspend = |bench: &mut Bench, on: bool| {
        bench.api.edit(&resources::jobs(), "default", "sum", |job| job["spec"]["suspend"] = json!(on));
        bench.settle();
    };
    suspend(&mut bench, false);
    assert_eq!((running(&bench).len(), holds(&bench, "Suspended")), (1, None));
    suspend(&mut bench, true);
    assert_eq!((running(&bench).len(), status(&bench).get("startTime").is_none()), (0, true));
}

#[test]
fn indexes_are_done_once_each() {
    let mut bench = bench(&json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed"}));
    let index = |bench: &Bench, name: &str| {
        let pod = bench.api.get(&resources::pods(), "default", name).unwrap();
        assert_eq!(pod["spec"]["containers"][0]["env"][0]["name"], "JOB_COMPLETION_INDEX");
        pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"].as_str().unwrap().to_owned()
    };
    let all = |bench: &Bench| running(bench).iter().map(|name| index(bench, name)).collect::<Vec<_>>();
    assert_eq!(all(&bench), ["0", "1"]);
    let names = running(&bench);
    assert!(names[0].starts_with("sum-0-"));
    end(&mut bench, &names[1], "Succeeded");
    assert_eq!((all(&bench), &status(&bench)["completedIndexes"]), (vec!["0".to_owned(), "2".to_owned()], &json!("1")));
    end(&mut bench, &names[0], "Failed");
    bench.pass(Duration::from_secs(11));
    assert_eq!(all(&bench), ["0", "2"]);
    for name in running(&bench) {
        end(&mut bench, &name, "Succeeded");
    }
    assert_eq!((&status(&bench)["completedIndexes"], holds(&bench, "Complete").is_some()), (&json!("0-2"), true));
}

#[test]
fn what_ended_counts_although_it_is_cleared_away() {
    let mut bench = bench(&json!({"completions": 3, "backoffLimit": 1}));
    for (number, restart) in [(1, false), (2, true), (3, false)] {
        let pod = running(&bench)[0].clone();
        end(&mut bench, &pod, "Succeeded");
        bench.api.delete(&(resources::pods(), "default".to_owned(), pod), &json!({}));
        bench.settle();
        assert_eq!(status(&bench)["succeeded"], number);
        if restart {
            bench.crash();
            bench.start(Box::new(Loop::new(Jobs::default())));
            bench.settle();
        }
    }
    assert!(holds(&bench, "Complete").is_some());
}

#[test]
fn a_pod_that_was_told_to_go_did_not_fail() {
    let mut bench = bench(&json!({"backoffLimit": 0}));
    let pod = running(&bench)[0].clone();
    bench.api.edit(&resources::pods(), "default", &pod, |pod| {
        pod["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
    });
    bench.settle();
    end(&mut bench, &pod, "Failed");
    assert_eq!((running(&bench).len(), holds(&bench, "Failed")), (1, None), "another takes its place");
}
