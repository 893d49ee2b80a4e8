//! The keeper: opens all sockets, starts and restarts the yard's processes, and does what it is asked over its
//! socket. It holds nothing that a new keeper could not find again: killing it stops nothing.

pub mod children;
mod credentials;
mod error;
mod nodes;
pub mod protocol;
mod server;
mod start;

pub use error::KeeperError;
pub use nodes::NodeFile;
pub use start::{lock, network_step};

use crate::yard::versions::PROGRAM;
use crate::yard::{Settings, YardDir};
use children::{Backoff, Records, Role};
use emberyard_model::NodeName;
use emberyard_sandbox::ProcessId;
use nodes::Node;
use protocol::{Answer, Ask, Stage, Status};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Waits until no keeper holds the yard.
pub fn wait_until_free(dir: &YardDir, patience: Duration) {
    let start = Instant::now();
    while start.elapsed() < patience && matches!(start::lock(dir), Err(KeeperError::Held(_))) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the keeper's one task is told.
pub(crate) enum Event {
    /// A question from the socket, and where its answer goes.
    Ask(Ask, oneshot::Sender<Answer>),
    /// A process ended.
    Ended(Role, ProcessId),
    /// It is time to start it again.
    Restart(Role),
    /// A node's holder ended.
    NodeDied(NodeName),
    /// The yard's holder ended.
    YardDied,
    /// A node's boot delay is over.
    BootNode(NodeName),
}

/// A running child.
struct Child {
    process: ProcessId,
    since: Instant,
}

/// The keeper's state, owned by one task.
pub(crate) struct Keeper {
    dir: YardDir,
    settings: Settings,
    mode: emberyard_sandbox::Mode,
    yard: emberyard_sandbox::YardHolder,
    outbound: Option<emberyard_node::net::yard::Outbound>,
    sockets: start::Sockets,
    records: Records,
    children: BTreeMap<Role, Child>,
    backoff: BTreeMap<Role, Backoff>,
    nodes: BTreeMap<NodeName, Node>,
    stage: Stage,
    events: mpsc::Sender<Event>,
}

/// Runs until asked to stop.
///
/// # Errors
/// [`KeeperError`] when the yard can't be started; the text is also shown by `up`, which waits.
pub async fn run(dir: YardDir) -> Result<(), KeeperError> {
    let _lock = start::lock(&dir)?;
    let settings = Settings::load(&dir)?.ok_or_else(|| KeeperError::NoSettings(dir.settings()))?;
    let (events, mut inbox) = mpsc::channel(64);
    let progress = server::Progress::default();
    server::listen(&dir, events.clone(), progress.clone())?;
    let mut keeper = match start::yard(dir, settings, events, &progress).await {
        Ok(keeper) => keeper,
        Err(error) => {
            progress.set(Stage::Failed { why: error.to_string() });
            // `up` reads the reason from the socket before this process goes.
            tokio::time::sleep(Duration::from_secs(2)).await;
            return Err(error);
        }
    };
    progress.set(Stage::Running);
    keeper.stage = Stage::Running;
    keeper.watch_yard();
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(KeeperError::System)?;
    loop {
        tokio::select! {
            event = inbox.recv() => match event {
                Some(Event::Ask(Ask::Down, answer)) => {
                    progress.set(Stage::Stopping);
                    keeper.stop().await;
                    let _ = answer.send(Answer::Done);
                    break;
                }
                // Killing the yard is killing its holder. What still runs is reached by nobody who comes later: the next
                // `up` makes everything anew.
                Some(Event::YardDied) => {
                    tracing::error!("the yard's holder ended, and the yard with it: everything stops");
                    progress.set(Stage::Stopping);
                    keeper.stop().await;
                    break;
                }
                Some(event) => keeper.handle(event).await,
                None => break,
            },
            _ = terminate.recv() => {
                progress.set(Stage::Stopping);
                keeper.stop().await;
                break;
            }
        }
    }
    // The answer to `down` is on its way: let it out before the process ends.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

impl Keeper {
    async fn handle(&mut self, event: Event) {
        match event {
            Event::Ask(ask, answer) => {
                let reply = self.answer(ask).await;
                // The asker went away: nothing to tell.
                let _ = answer.send(reply);
            }
            Event::Ended(role, process) => self.ended(role, &process),
            Event::Restart(role) => {
                if !self.children.contains_key(&role) && self.stage == Stage::Running {
                    self.start_child(&role);
                }
            }
            Event::NodeDied(name) => self.node_died(&name).await,
            Event::BootNode(name) => self.boot_node(&name).await,
            Event::YardDied => {} // the loop's own
        }
    }

    async fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Status => Answer::Status(self.status()),
            Ask::NodeAdd { shape } => match self.add_node(shape) {
                Ok(node) => Answer::Node(node),
                Err(error) => Answer::Refused { why: error.to_string() },
            },
            Ask::NodeRemove { name } => self.remove_node(&name).await,
            Ask::NodeKill { name } => self.kill_node(&name),
            Ask::Down => Answer::Refused { why: "the yard is stopping already".to_owned() },
        }
    }

    fn status(&self) -> Status {
        Status {
            stage: self.stage.clone(),
            keeper_pid: std::process::id(),
            version: PROGRAM.to_owned(),
            mode: start::mode_name(self.mode).to_owned(),
            outbound: self.outbound.clone(),
            api_port: self.settings.api_port,
            gateway_port: self.settings.gateway_port,
            nodes: self.nodes.values().map(Node::status).collect(),
        }
    }

    /// Hears of the end of the yard's holder.
    fn watch_yard(&self) {
        let (events, holder) = (self.events.clone(), self.yard.process.clone());
        tokio::spawn(async move {
            children::ended(&holder).await;
            let _ = events.send(Event::YardDied).await;
        });
    }

    /// Starts a process, or adopts the one of an earlier keeper.
    fn start_child(&mut self, role: &Role) {
        let started = match self.records.adopt(role) {
            Some(process) => {
                tracing::info!(%role, pid = process.pid, "adopted");
                Ok((process, None))
            }
            None => self.spawn(role).map(|child| (child.process.clone(), Some(child))),
        };
        let (process, child) = match started {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%role, %error, "could not be started");
                self.restart_later(role.clone(), Duration::ZERO);
                return;
            }
        };
        tracing::info!(%role, pid = process.pid, "runs");
        if let Err(error) = self.records.write(role, &process) {
            tracing::error!(%role, %error, "its record could not be written; the next keeper will not find it");
        }
        self.children.insert(role.clone(), Child { process: process.clone(), since: Instant::now() });
        let (events, role) = (self.events.clone(), role.clone());
        tokio::spawn(async move {
            children::ended(&process).await;
            // Reaps a child of ours; one of an earlier keeper is reaped by the system.
            let code = child.and_then(|child| child.wait(Some(Duration::from_secs(1))).ok().flatten());
            tracing::info!(%role, pid = process.pid, code, "ended");
            let _ = events.send(Event::Ended(role, process)).await;
        });
    }

    fn ended(&mut self, role: Role, process: &ProcessId) {
        if self.children.get(&role).is_none_or(|child| child.process != *process) {
            return; // stopped on purpose, or already replaced
        }
        let lived = self.children.remove(&role).map(|child| child.since.elapsed()).unwrap_or_default();
        self.records.forget(&role);
        tracing::warn!(%role, pid = process.pid, seconds = lived.as_secs(), "ended; starting it again");
        self.restart_later(role, lived);
    }

    fn restart_later(&mut self, role: Role, lived: Duration) {
        let wait = self.backoff.entry(role.clone()).or_default().after(lived);
        let events = self.events.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = events.send(Event::Restart(role)).await;
        });
    }

    /// Stops a child of an earlier keeper that another version of the program plays, so that ours takes its place. Pods
    /// do not notice.
    async fn replace_other_version(&self, role: &Role) {
        if let Some(process) = self.records.adopt(role)
            && self.records.program(role).as_deref() != Some(PROGRAM)
        {
            tracing::info!(%role, pid = process.pid, "of another version: replaced");
            children::stop(&process, Duration::from_secs(5)).await;
            self.records.forget(role);
        }
    }

    /// Stops a process on purpose.
    async fn stop_child(&mut self, role: &Role, patience: Duration) {
        if let Some(child) = self.children.remove(role) {
            children::stop(&child.process, patience).await;
        }
        self.records.forget(role);
    }

    /// Agents first, so that none reports what now falls silent; then nodes; the API last.
    async fn stop(&mut self) {
        self.stage = Stage::Stopping;
        let names: Vec<NodeName> = self.nodes.keys().cloned().collect();
        self.stop_child(&Role::Operator, Duration::from_secs(3)).await;
        for name in names {
            self.stop_child(&Role::Agent(name.clone()), Duration::from_secs(2)).await;
            if let Some(node) = self.nodes.remove(&name) {
                node.kill();
            }
        }
        self.stop_child(&Role::Api, Duration::from_secs(5)).await;
        start::stop_yard(&self.yard);
        let _ = std::fs::remove_file(self.dir.keeper_socket());
    }
}
