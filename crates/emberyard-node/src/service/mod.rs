//! Service addresses: each agent answers for every ClusterIP itself and copies connections to an endpoint.

mod balance;
mod proxy;

pub(crate) use proxy::serve;
