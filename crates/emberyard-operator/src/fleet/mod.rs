//! The fleet: observe the world, let the planner decide, carry the decision to the provider, say why.

mod execute;
pub mod explain;
mod gangs;
mod tell;
pub mod world;

use crate::config::{FleetConfig, OperatorConfig};
use crate::index::Index;
use emberyard_model::Timestamp;
use emberyard_plan::session::Outlook;
use emberyard_plan::{Plan, World, fleet, lint};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Events come in bursts; one decision is made for each burst.
const BURST: Duration = Duration::from_millis(100);
/// The provider is asked at least this often: a machine that died sends no event.
const PULSE: Duration = Duration::from_secs(2);

struct Loop {
    config: OperatorConfig,
    fleet: FleetConfig,
    nodes: Index,
    pods: Index,
    memory: world::Memory,
    before: World,
    gangs: gangs::Gangs,
    told: tell::Told,
    outlook: watch::Sender<Arc<Outlook>>,
}

/// Keeps the fleet until shutdown; acts only while it leads. What it intends is told by `outlook`.
pub async fn run(
    config: OperatorConfig,
    fleet: FleetConfig,
    mut leading: watch::Receiver<bool>,
    outlook: watch::Sender<Arc<Outlook>>,
) {
    let mut nodes = config.client.watch("/api/v1/nodes", &[]);
    let mut pods = config.client.watch("/api/v1/pods", &[]);
    let shutdown = config.shutdown.clone();
    let (gangs, mut answers) = gangs::Gangs::new(config.client.clone());
    let mut state = Loop {
        config,
        fleet,
        nodes: Index::default(),
        pods: Index::default(),
        memory: world::Memory::default(),
        before: World::default(),
        gangs,
        told: tell::Told::default(),
        outlook,
    };
    let mut next = tokio::time::Instant::now() + PULSE;
    loop {
        let soon = tokio::time::Instant::now() + BURST;
        tokio::select! {
            Some(event) = nodes.next() => { state.nodes.apply(event); next = next.min(soon); }
            Some(event) = pods.next() => { state.pods.apply(event); next = next.min(soon); }
            Some(answer) = answers.recv() => { state.gangs.answered(answer); next = next.min(soon); }
            Ok(()) = leading.changed() => next = next.min(soon),
            () = tokio::time::sleep_until(next) => {
                next = tokio::time::Instant::now() + PULSE;
                if *leading.borrow() && state.nodes.synced() && state.pods.synced() {
                    next = next.min(tokio::time::Instant::now() + state.round().await);
                }
            }
            () = shutdown.cancelled() => return,
        }
    }
}

impl Loop {
    /// One decision, carried out. Gives the time until the next one is due at the latest.
    async fn round(&mut self) -> Duration {
        let claims = match self.fleet.provider.list().await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::warn!(%error, "the node provider does not answer");
                return PULSE;
            }
        };
        let now = (self.config.clock)();
        let mut world = self.memory.world(&self.nodes, &self.pods, &claims, &self.fleet.policy, now);
        self.gangs.ask(&world, &self.pods, now);
        self.gangs.tell(&mut world);
        world.remember(&self.before, now);
        let plan = fleet::plan(&world, &self.fleet.policy, now);
        let contradictions = lint(&plan, &world, &self.fleet.policy);
        if contradictions.is_empty() {
            let removed = execute::execute(&self.config.client, &self.fleet, &plan, &world, now).await;
            for name in &removed {
                self.memory.forget(name);
            }
        } else {
            // A wrong decision is worse than none: nothing is done, and the next event gives another chance.
            for contradiction in contradictions {
                tracing::error!(%contradiction, "the fleet's plan contradicts itself");
            }
        }
        self.told.tell(&self.config.client, &plan, &world, &self.pods, now).await;
        let outlook = Arc::new(Outlook::new(&plan, &world, self.memory.usual_boot()));
        self.outlook.send_if_modified(|before| {
            let changed = *before != outlook;
            *before = outlook;
            changed
        });
        self.before = world;
        until(&plan, now)
    }
}

fn until(plan: &Plan, now: Timestamp) -> Duration {
    plan.wake.map_or(PULSE, |wake| wake.since(now).max(BURST))
}
