//! The fit algebra: what a pod demands, what a node offers, which constraints keep them apart.
//!
//! Scheduler and fleet planner use the same rules, so that a node bought for a pod is a node the pod may run on.
//! Rule source: Kubernetes' pod resource, node affinity and taint documentation.

mod affinity;
mod demand;
mod taint;

pub use affinity::{NodeMatch, NodeSelector, NodeTerm, Operator, Requirement};
pub use demand::{Demand, pod_demand};
pub use taint::{Effect, Taint, Toleration, tolerations, untolerated};
