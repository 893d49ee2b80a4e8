//! Carrying out what was decided: each action is work in the background whose outcome comes back as a message.

use super::message::{Message, StartError};
use super::start::{Start, run as start_container};
use super::task::PodTask;
use super::{hook, probe, sandbox, volumes};
use emberyard_pod::{Action, Event, ProbeKind, Signal};
use std::sync::Arc;
use std::time::Duration;

const SIGTERM: i32 = 15;
/// A postStart hook may take as long as the pod's start may; this bounds a hook that hangs.
const POST_START: Duration = Duration::from_secs(300);

/// Begins one action.
pub(super) fn start(task: &PodTask, action: Action) {
    match action {
        Action::PrepareVolumes => volumes::prepare(task),
        Action::CreateSandbox => sandbox::create(task),
        Action::ResolveImage { container } => resolve(task, container),
        Action::Start { container, attempt } => launch(task, container, attempt),
        Action::Probe { container, kind, attempt } => try_probe(task, container, kind, attempt),
        Action::PreStop { container, attempt, within } => pre_stop(task, container, attempt, within),
        Action::Signal { container, attempt, signal } => send(task, &container, attempt, signal),
        Action::StopSandbox => sandbox::stop(task),
        Action::ReleaseVolumes => volumes::release(task),
        // The status writer does it, after the last status.
        Action::Finalize => {}
    }
}

fn resolve(task: &PodTask, container: String) {
    let Some(spec) = task.pod.container(&container) else { return };
    let (node, news, reference) = (task.node.clone(), task.news.clone(), spec.image.clone());
    tokio::task::spawn_blocking(move || {
        let found = node.store.resolve(&reference).map(Box::new).map_err(|e| e.to_string());
        let _ = news.send(Message::Image(container, found));
    });
}

fn launch(task: &PodTask, container: String, attempt: u32) {
    let news = task.news.clone();
    let Some(sandbox) = task.sandbox.clone() else {
        let why = StartError::Refused { reason: "CreateContainerError", message: "the pod has no sandbox".into() };
        let _ = news.send(Message::NotStarted { container, attempt, why });
        return;
    };
    let order = Start {
        node: task.node.clone(),
        pod: task.pod.clone(),
        dir: task.dir.clone(),
        sandbox,
        container: container.clone(),
        attempt,
        pod_ip: task.observed.pod_ip,
        places: task.places.clone(),
        image: task.images.get(&container).cloned(),
        sources: task.sources.clone(),
    };
    task.tell(Some(&container), Event::normal("Created", format!("Created container: {container}")));
    tokio::spawn(async move {
        let message = match start_container(order).await {
            Ok(state) => Message::Started { container, at: state.started, notes: state.notes },
            Err(why) => Message::NotStarted { container, attempt, why },
        };
        let _ = news.send(message);
    });
}

fn try_probe(task: &PodTask, container: String, kind: ProbeKind, attempt: u32) {
    let Some(spec) = task.pod.container(&container).cloned() else { return };
    let probe = match kind {
        ProbeKind::Startup => spec.startup_probe.clone(),
        ProbeKind::Liveness => spec.liveness_probe.clone(),
        ProbeKind::Readiness => spec.readiness_probe.clone(),
    };
    let (Some(probe), Some(sandbox), Some(ip)) = (probe, task.sandbox.clone(), task.observed.pod_ip) else { return };
    let news = task.news.clone();
    tokio::spawn(async move {
        let verdict = probe::run(&probe.handler, &spec, &sandbox, ip, probe.timeout()).await;
        let _ = news.send(Message::Probed { container, kind, attempt, verdict });
    });
}

fn pre_stop(task: &PodTask, container: String, attempt: u32, within: Duration) {
    let handler = task.pod.container(&container).and_then(|c| c.lifecycle.pre_stop.clone().map(|h| (h, c.clone())));
    let (Some((handler, spec)), Some(sandbox), Some(ip)) = (handler, task.sandbox.clone(), task.observed.pod_ip) else {
        let _ = task.news.send(Message::Hooked { container, attempt, verdict: Ok(()) });
        return;
    };
    let news = task.news.clone();
    tokio::spawn(async move {
        let verdict = hook::run(&handler, &spec, &sandbox, ip, within).await;
        let _ = news.send(Message::Hooked { container, attempt, verdict });
    });
}

/// Runs a container's postStart hook, if it has one; a failure ends the container.
pub(super) fn post_start(task: &PodTask, container: &str) {
    let Some(spec) = task.pod.container(container).cloned() else { return };
    let (Some(handler), Some(sandbox), Some(ip)) =
        (spec.lifecycle.post_start.clone(), task.sandbox.clone(), task.observed.pod_ip)
    else {
        return;
    };
    let attempt = task.observed.containers.get(container).map_or(0, |r| r.attempt());
    let news = task.news.clone();
    let container = container.to_owned();
    tokio::spawn(async move {
        if let Err(why) = hook::run(&handler, &spec, &sandbox, ip, POST_START).await {
            let _ = news.send(Message::HookFailed { container, attempt, why });
        }
    });
}

/// Ends a run at once.
pub(super) fn kill(task: &PodTask, container: &str, attempt: u32) {
    send(task, container, attempt, Signal::Kill);
}

fn send(task: &PodTask, container: &str, attempt: u32, signal: Signal) {
    let current = task.observed.containers.get(container).map(|r| r.attempt());
    let (Some(sandbox), true) = (task.sandbox.clone(), current == Some(attempt)) else { return };
    let (name, pod) = (container.to_owned(), Arc::new(task.pod.metadata.name.clone()));
    tokio::task::spawn_blocking(move || {
        let sent = match signal {
            Signal::Term => sandbox.signal(&name, SIGTERM),
            Signal::Kill => sandbox.kill_container(&name),
        };
        if let Err(error) = sent {
            tracing::debug!(%pod, container = %name, %error, "signal not sent");
        }
    });
}
