//! The API server through its request path: requests in, JSON out, nothing but memory beneath.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

mod access;
mod apply;
mod connect;
mod objects;
mod properties;
mod real_server;
mod rules;
mod served;
mod spark;
mod watches;
mod workloads;
mod yard;
