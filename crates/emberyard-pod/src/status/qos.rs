//! Quality of service: who is ended first when memory runs out.

use crate::spec::Pod;

/// A pod's class, from first ended to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// Asked for nothing.
    BestEffort,
    /// Asked for something.
    Burstable,
    /// Every container's limits equal its requests, for CPU and memory.
    Guaranteed,
}

impl Qos {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BestEffort => "BestEffort",
            Self::Burstable => "Burstable",
            Self::Guaranteed => "Guaranteed",
        }
    }
}

const COUNTED: [&str; 2] = ["cpu", "memory"];

/// The class by the containers' requests and limits.
pub fn qos(pod: &Pod) -> Qos {
    let asks = |name: &str| {
        pod.all_containers().any(|c| {
            let set = |list: &std::collections::BTreeMap<String, emberyard_model::Quantity>| {
                list.get(name).is_some_and(|q| *q != emberyard_model::Quantity::ZERO)
            };
            set(&c.resources.requests) || set(&c.resources.limits)
        })
    };
    if !COUNTED.into_iter().any(asks) {
        return Qos::BestEffort;
    }
    let exact = pod.all_containers().all(|c| {
        COUNTED.into_iter().all(|name| {
            let limit = c.resources.limits.get(name);
            // A limit without a request is its request.
            limit.is_some() && c.resources.requests.get(name).is_none_or(|request| Some(request) == limit)
        })
    });
    if exact { Qos::Guaranteed } else { Qos::Burstable }
}
