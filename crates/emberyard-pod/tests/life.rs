//! Lives of pods, played against a world that does at once what is asked.

// A test ends at its first failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_model::Timestamp;
use emberyard_pod::observed::Ended;
use emberyard_pod::{Action, Decision, Exit, ImageRecord, Observed, Pod, ProbeKind, Signal, Stage, plan};
use serde_json::{Value, json};
use std::time::Duration;

struct World {
    pod: Pod,
    observed: Observed,
    now: Timestamp,
    log: Vec<String>,
    last: Decision,
}

impl World {
    fn new(spec: Value) -> Self {
        let object = json!({"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": spec});
        let observed = Observed { pod_ip: "10.42.1.2".parse().ok(), ..Observed::default() };
        let now = Timestamp::from_seconds(1_000_000);
        let mut world =
            Self { pod: Pod::read(&object).unwrap(), observed, now, log: Vec::new(), last: Decision::default() };
        world.settle();
        world
    }

    /// Decides and carries out until nothing is left to do.
    fn settle(&mut self) {
        loop {
            self.last = plan(&self.pod, &mut self.observed, self.now);
            self.log.extend(self.last.events.iter().map(|e| format!("event {}", e.reason)));
            if self.last.actions.is_empty() {
                return;
            }
            for action in self.last.actions.clone() {
                self.carry_out(action);
            }
        }
    }

    fn carry_out(&mut self, action: Action) {
        let o = &mut self.observed;
        let word = match action {
            Action::PrepareVolumes => {
                o.volumes = Stage::Ready;
                "volumes".to_owned()
            }
            Action::CreateSandbox => {
                o.sandbox = Stage::Ready;
                "sandbox".to_owned()
            }
            Action::ResolveImage { container } => {
                o.container(&container).image = ImageRecord::Known { id: "sha256:1".into() };
                return;
            }
            Action::Start { container, attempt } => {
                o.started(&container, self.now);
                format!("start {container} {attempt}")
            }
            Action::Probe { container, kind, .. } => format!("{kind:?} {container}"),
            Action::PreStop { container, .. } => format!("prestop {container}"),
            Action::Signal { container, signal, .. } => format!("{signal:?} {container}"),
            Action::StopSandbox => {
                o.sandbox = Stage::Gone;
                "stop sandbox".to_owned()
            }
            Action::ReleaseVolumes => {
                o.volumes = Stage::Gone;
                "release volumes".to_owned()
            }
            Action::Finalize => "finalize".to_owned(),
        };
        self.log.push(word);
    }

    fn exit(&mut self, container: &str, code: i32) {
        let record = self.observed.container(container);
        let started = if let emberyard_pod::Run::Running { started } = record.run { Some(started) } else { None };
        let reason = if code == 0 { "Completed" } else { "Error" };
        let exit = Exit {
            attempt: record.attempt(),
            code,
            signal: None,
            reason: reason.into(),
            message: String::new(),
            started,
            finished: self.now,
        };
        assert!(self.observed.exited(container, exit));
        self.settle();
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.settle();
    }

    fn probe(&mut self, container: &str, kind: ProbeKind, ok: bool) {
        let attempt = self.observed.container(container).attempt();
        let limits = self.pod.container(container).map_or((1, 3), |c| {
            let p = match kind {
                ProbeKind::Startup => &c.startup_probe,
                ProbeKind::Liveness => &c.liveness_probe,
                ProbeKind::Readiness => &c.readiness_probe,
            };
            p.as_ref().map_or((1, 3), |p| (p.successes(), p.failures()))
        });
        self.observed.probed(container, kind, attempt, ok, limits);
        self.settle();
    }

    fn delete(&mut self, grace: u64) {
        self.pod.metadata.deletion_timestamp = Some(self.now.plus(Duration::from_secs(grace)));
        self.pod.metadata.deletion_grace_period_seconds = Some(grace);
        self.settle();
    }

    fn log(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }

    fn phase(&self) -> &str {
        self.last.status["phase"].as_str().unwrap()
    }

    fn condition(&self, kind: &str) -> bool {
        let list = self.last.status["conditions"].as_array().unwrap();
        list.iter().any(|c| c["type"] == kind && c["status"] == "True")
    }
}

fn one(policy: &str) -> Value {
    json!({"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}]})
}

#[test]
fn an_executor_runs_ends_and_is_deleted() {
    let mut world = World::new(one("Never"));
    assert_eq!(world.log(), "volumes, sandbox, start a 0");
    assert_eq!(world.phase(), "Running");
    assert!(world.condition("Ready") && world.condition("PodReadyToStartContainers"));
    assert_eq!(world.last.status["podIP"], "10.42.1.2");
    world.exit("a", 137);
    assert_eq!(world.phase(), "Failed");
    assert_eq!(world.last.status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137);
    assert_eq!(world.log(), "stop sandbox, release volumes");
    world.delete(30);
    assert_eq!(world.log(), "finalize");
    assert_eq!(world.phase(), "Failed");
}

#[test]
fn phases_by_policy_and_exit_code() {
    for (policy, code, phase, restarts) in [
        ("Never", 0, "Succeeded", false),
        ("Never", 1, "Failed", false),
        ("OnFailure", 0, "Succeeded", false),
        ("OnFailure", 1, "Running", true),
        ("Always", 0, "Running", true),
        ("Always", 1, "Running", true),
    ] {
        let mut world = World::new(one(policy));
        world.log();
        world.exit("a", code);
        assert_eq!(world.phase(), phase, "{policy} {code}");
        assert_eq!(world.log().contains("start a 1"), restarts, "{policy} {code}");
    }
}

#[test]
fn restarts_wait_longer_each_time() {
    let mut world = World::new(one("Always"));
    world.exit("a", 1);
    world.exit("a", 1);
    let status = &world.last.status["containerStatuses"][0];
    assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
    assert_eq!(status["restartCount"], 1);
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 1);
    world.log();
    world.wait(1);
    assert_eq!(world.log(), "event BackOff, start a 2");
    world.exit("a", 1);
    world.wait(1);
    assert_eq!(world.log(), "");
    world.wait(1);
    assert!(world.log().contains("start a 3"));
    // Ten good minutes clear the record.
    world.wait(700);
    world.exit("a", 1);
    assert!(world.log().contains("start a 4"));
}

#[test]
fn init_containers_run_in_order_and_sidecars_stay() {
    let mut world = World::new(json!({
        "restartPolicy": "Always",
        "initContainers": [
            {"name": "i1", "image": "i"}, {"name": "side", "image": "i", "restartPolicy": "Always"}, {"name": "i2", "image": "i"}],
        "containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}],
    }));
    assert_eq!(world.log(), "volumes, sandbox, start i1 0");
    assert_eq!(world.phase(), "Pending");
    assert_eq!(world.last.status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
    world.exit("i1", 1);
    assert_eq!(world.log(), "start i1 1");
    world.exit("i1", 0);
    assert_eq!(world.log(), "start side 0, start i2 0");
    assert!(!world.condition("Initialized"));
    world.exit("i2", 0);
    assert_eq!(world.log(), "start a 0, start b 0");
    assert!(world.condition("Initialized") && world.condition("Ready"));
    world.delete(5);
    assert_eq!(world.log(), "event Killing, event Killing, Term a, Term b");
    world.exit("a", 0);
    world.exit("b", 0);
    assert_eq!(world.log(), "event Killing, Term side");
    world.exit("side", 0);
    assert_eq!(world.log(), "stop sandbox, release volumes, finalize");
    assert_eq!(world.phase(), "Succeeded");
}

#[test]
fn a_failed_init_container_fails_a_pod_that_never_restarts() {
    let mut world = World::new(json!({
        "restartPolicy": "Never",
        "initContainers": [{"name": "i", "image": "i"}], "containers": [{"name": "a", "image": "i"}],
    }));
    world.exit("i", 3);
    assert_eq!(world.phase(), "Failed");
}

#[test]
fn deletion_asks_then_kills() {
    let mut world = World::new(json!({"containers": [
        {"name": "a", "image": "i", "lifecycle": {"preStop": {"exec": {"command": ["/opt/decom.sh"]}}}}]}));
    world.log();
    world.delete(30);
    assert_eq!(world.log(), "event Killing, prestop a");
    world.observed.container("a").stop.as_mut().unwrap().hook = emberyard_pod::observed::Hook::Done;
    world.settle();
    assert_eq!(world.log(), "Term a");
    world.wait(29);
    assert_eq!(world.log(), "");
    world.wait(1);
    assert_eq!(world.log(), "Kill a");
    world.exit("a", 137);
    assert_eq!(world.log(), "stop sandbox, release volumes, finalize");
}

#[test]
fn deletion_with_no_grace_kills_at_once() {
    let mut world = World::new(one("Always"));
    world.log();
    world.delete(0);
    assert_eq!(world.log(), "event Killing, Kill a");
    assert!(world.last.actions.iter().all(|a| !matches!(a, Action::Signal { signal: Signal::Term, .. })));
}

#[test]
fn an_object_that_vanished_ends_its_pod() {
    let mut world = World::new(one("Always"));
    world.log();
    world.observed.object_gone = true;
    world.settle();
    assert!(world.log().ends_with("Kill a"));
}

#[test]
fn probes_gate_readiness_and_restart_the_dead() {
    let mut world = World::new(json!({"containers": [{"name": "a", "image": "i",
        "startupProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1},
        "readinessProbe": {"tcpSocket": {"port": 1}, "initialDelaySeconds": 2, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": 1}, "failureThreshold": 2}}]}));
    assert_eq!(world.log(), "volumes, sandbox, start a 0, Startup a");
    assert_eq!(world.last.status["containerStatuses"][0]["started"], false);
    world.probe("a", ProbeKind::Startup, false);
    world.wait(1);
    assert_eq!(world.log(), "Startup a");
    world.probe("a", ProbeKind::Startup, true);
    assert_eq!(world.log(), "Liveness a");
    assert!(!world.condition("Ready"));
    world.probe("a", ProbeKind::Liveness, true);
    world.wait(1);
    assert_eq!(world.log(), "Readiness a");
    world.probe("a", ProbeKind::Readiness, true);
    assert!(world.condition("Ready"));
    world.wait(10);
    world.probe("a", ProbeKind::Liveness, false);
    world.wait(10);
    world.log();
    world.probe("a", ProbeKind::Liveness, false);
    assert_eq!(world.log(), "event Killing, Term a");
    world.exit("a", 143);
    assert_eq!(world.log(), "start a 1, Startup a");
    assert_eq!(world.last.status["containerStatuses"][0]["restartCount"], 1);
}

#[test]
fn a_deadline_ends_the_pod() {
    let mut world = World::new(
        json!({"restartPolicy": "Never", "activeDeadlineSeconds": 60, "containers": [{"name": "a", "image": "i"}]}),
    );
    world.log();
    world.wait(60);
    assert_eq!(world.log(), "event Killing, Term a");
    world.exit("a", 143);
    assert_eq!((world.phase(), world.last.status["reason"].as_str()), ("Failed", Some("DeadlineExceeded")));
}

#[test]
fn containers_of_a_pod_that_was_lost_with_its_node_are_not_being_created() {
    let object = |statuses: Value| {
        json!({
            "metadata": {"name": "p", "namespace": "default", "uid": "u"},
            "spec": {"containers": [{"name": "a", "image": "i"}]},
            "status": {"phase": "Failed", "reason": "NodeLost", "containerStatuses": statuses},
        })
    };
    let state = |statuses: Value| {
        let pod = Pod::read(&object(statuses)).unwrap();
        let decision = plan(&pod, &mut Observed::default(), Timestamp::from_seconds(1_000_000));
        decision.status["containerStatuses"][0]["state"]["terminated"].clone()
    };
    assert_eq!(state(json!([]))["reason"], "ContainerStatusUnknown");
    assert_eq!(state(json!([{"name": "a", "state": {"running": {}}}]))["reason"], "ContainerStatusUnknown");
    let told = json!({"exitCode": 3, "reason": "Error"});
    assert_eq!(state(json!([{"name": "a", "state": {"terminated": told}}])), told);
}

#[test]
fn an_evicted_pod_has_a_second_whatever_it_asks_for() {
    let mut world =
        World::new(json!({"terminationGracePeriodSeconds": 30, "containers": [{"name": "a", "image": "i"}]}));
    world.log();
    world.observed.ended = Some(Ended::evicted("The node was low on resource: memory.".into()));
    world.wait(0);
    assert_eq!(world.log(), "event Killing, Term a");
    world.wait(1);
    assert_eq!(world.log(), "Kill a");
    world.exit("a", 137);
    assert_eq!((world.phase(), world.last.status["reason"].as_str()), ("Failed", Some("Evicted")));
}

#[test]
fn missing_images_and_configuration_are_said_and_tried_again() {
    let mut world = World::new(json!({"containers": [{"name": "a", "image": "i"}]}));
    world.observed = Observed::default();
    let first = plan(&world.pod, &mut world.observed, world.now);
    assert!(first.actions.contains(&Action::ResolveImage { container: "a".into() }));
    world.observed.container("a").image.fail("no such image".into(), world.now);
    world.observed.volumes = Stage::Ready;
    world.observed.sandbox = Stage::Ready;
    let state = |d: &Decision| d.status["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
    let second = plan(&world.pod, &mut world.observed, world.now);
    assert_eq!(state(&second), "ErrImagePull");
    assert_eq!(second.wake, Some(world.now.plus(Duration::from_secs(10))));
    world.wait(10);
    assert_eq!(world.log(), "volumes, sandbox, start a 0, start a 0");
    world.observed.container("a").run = emberyard_pod::Run::Starting;
    world.observed.refused("a", "CreateContainerConfigError", "configmap \"c\" not found".into(), world.now);
    let refused = plan(&world.pod, &mut world.observed, world.now);
    assert_eq!(state(&refused), "CreateContainerConfigError");
    assert_eq!(refused.status["containerStatuses"][0]["restartCount"], 0);
}

#[test]
fn equal_observations_give_equal_status() {
    let mut world = World::new(one("Always"));
    let before = world.last.status.clone();
    world.wait(100);
    assert_eq!(world.last.status, before);
}
