//! What news changes in what is known of a pod.

use super::message::{Message, StartError};
use super::task::PodTask;
use super::{act, exit, sandbox};
use crate::agent::files;
use emberyard_image::Resolved;
use emberyard_pod::{Event, ImageRecord, Pod, ProbeKind, Run, Stage};
use std::sync::Arc;

impl PodTask {
    /// Takes news in; the decision comes after.
    pub(super) fn hear(&mut self, news: Message) {
        let now = self.node.now();
        match news {
            // With the node everything in it ends. A kubelet would be dead as well: the cluster finds the node lost, and
            // says so of its pods, where we could only say that each was killed.
            Message::States(_) | Message::Lost if !self.node.holder.goes_on() => {
                tracing::warn!(pod = %self.pod.metadata.name, "ends with its node: not reported");
            }
            Message::Object(object) => match Pod::read(&object) {
                Ok(pod) => {
                    self.pod = pod;
                    self.object = *object;
                    self.keep_object();
                }
                Err(error) => tracing::error!(pod = %self.pod.metadata.name, %error, "a change cannot be read"),
            },
            Message::Gone => self.observed.object_gone = true,
            Message::Stale => super::volumes::refresh(self),
            Message::End(ended) => {
                self.tell(None, Event::warning("Evicted", ended.message.clone()));
                self.observed.ended.get_or_insert(ended);
            }
            Message::Volumes(Ok(places)) => {
                self.places = places;
                let _ = files::save(&self.dir.join(super::adopt::PLACES), &self.places);
                self.observed.volumes = Stage::Ready;
            }
            Message::Volumes(Err(message)) => {
                // Often only a moment early: worth telling when it lasts.
                if self.observed.volumes.tries() % 8 == 2 {
                    self.tell(None, Event::warning("FailedMount", message.clone()));
                }
                self.observed.volumes.fail(message, now);
            }
            Message::Sandbox(Ok(found)) => {
                sandbox::follow(&found, &self.news);
                self.sandbox = Some(found);
                self.observed.sandbox = Stage::Ready;
            }
            Message::Sandbox(Err(message)) => {
                if self.observed.sandbox.tries().is_multiple_of(8) {
                    self.tell(None, Event::warning("FailedCreatePodSandBox", message.clone()));
                }
                self.observed.sandbox.fail(message, now);
            }
            Message::SandboxStopped => {
                self.sandbox = None;
                self.observed.sandbox = Stage::Gone;
            }
            Message::Released => self.observed.volumes = Stage::Gone,
            Message::Image(container, found) => self.image(&container, found),
            Message::Started { container, at, notes } => {
                self.observed.started(&container, at);
                self.tell(Some(&container), Event::normal("Started", format!("Started container {container}")));
                for note in notes {
                    self.tell(Some(&container), Event::normal("Note", note));
                }
                act::post_start(self, &container);
            }
            Message::NotStarted { container, attempt, why } => self.not_started(&container, attempt, why),
            Message::States(states) => {
                self.states(&states);
                self.states = Arc::new(states);
            }
            Message::Lost => {
                if matches!(self.observed.sandbox, Stage::Ready) {
                    self.lost();
                }
            }
            Message::Probed { container, kind, attempt, verdict } => self.probed(&container, kind, attempt, verdict),
            Message::Hooked { container, attempt, verdict } => {
                let record = self.observed.container(&container);
                let current = record.attempt() == attempt && record.is_live();
                if let Some(stop) = record.stop.as_mut().filter(|_| current) {
                    stop.hook = emberyard_pod::observed::Hook::Done;
                }
                // A container that ended meanwhile takes its hook along: no failure.
                if let (Err(why), true) = (verdict, current) {
                    self.tell(Some(&container), Event::warning("FailedPreStopHook", why));
                }
            }
            Message::HookFailed { container, attempt, why } => {
                self.tell(Some(&container), Event::warning("FailedPostStartHook", why));
                act::kill(self, &container, attempt);
            }
        }
    }

    fn image(&mut self, container: &str, found: Result<Box<Resolved>, String>) {
        let now = self.node.now();
        match found {
            Ok(image) => {
                let id = match &image.alias {
                    Some(alias) => format!("{}@{}", alias.runs, image.id),
                    None => format!("{}@{}", image.name, image.id),
                };
                let message = format!("Container image \"{}\" already present on machine", image.reference);
                self.tell(Some(container), Event::normal("Pulled", message));
                if let Some(alias) = &image.alias {
                    self.tell(Some(container), Event::normal("ImageAlias", alias.note.clone()));
                }
                self.observed.container(container).image = ImageRecord::Known { id };
                self.images.insert(container.to_owned(), Arc::new(*image));
            }
            Err(message) => {
                self.observed.container(container).image.fail(message.clone(), now);
                self.tell(Some(container), Event::warning("Failed", message));
            }
        }
    }

    fn not_started(&mut self, container: &str, attempt: u32, why: StartError) {
        let now = self.node.now();
        match why {
            StartError::Refused { reason, message } => {
                if self.observed.container(container).refusals.is_multiple_of(8) {
                    self.tell(Some(container), Event::warning("Failed", format!("Error: {message}")));
                }
                self.observed.refused(container, reason, message, now);
            }
            StartError::CannotRun { code, message } => {
                self.tell(Some(container), Event::warning("Failed", format!("Error: {message}")));
                self.observed.exited(container, exit::cannot_run(attempt, code, message, now));
            }
        }
    }

    pub(super) fn states(&mut self, states: &[emberyard_sandbox::ContainerState]) {
        for state in states {
            let record = self.observed.container(&state.name);
            if state.attempt != record.attempt() || !record.is_live() {
                continue;
            }
            match &state.ended {
                Some(ended) => {
                    let spec = self.pod.container(&state.name);
                    let figures = self.node.figures.of(&self.pod.metadata.uid, state);
                    let exit = exit::of(&self.dir, spec, state, ended, figures);
                    if exit.reason == "OOMKilled" {
                        let message = format!("Container {} {}", state.name, exit.message);
                        self.tell(Some(&state.name), Event::warning("OOMKilled", message));
                    }
                    self.observed.exited(&state.name, exit);
                }
                // Started by an agent that did not live to see it.
                None if record.run == Run::Starting && self.adopted => {
                    self.observed.started(&state.name, state.started);
                }
                None => {}
            }
        }
    }

    fn probed(&mut self, container: &str, kind: ProbeKind, attempt: u32, verdict: Result<(), String>) {
        let Some(spec) = self.pod.container(container) else { return };
        let probe = match kind {
            ProbeKind::Startup => &spec.startup_probe,
            ProbeKind::Liveness => &spec.liveness_probe,
            ProbeKind::Readiness => &spec.readiness_probe,
        };
        let thresholds = probe.as_ref().map_or((1, 3), |p| (p.successes(), p.failures()));
        self.observed.probed(container, kind, attempt, verdict.is_ok(), thresholds);
        if let Err(why) = verdict {
            let message = format!("{} probe failed: {why}", kind.title());
            self.tell(Some(container), Event::warning("Unhealthy", message));
        }
    }
}
