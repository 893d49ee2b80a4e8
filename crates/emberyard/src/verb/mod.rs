//! The verbs, a file each.

pub mod api;
pub mod chaos;
pub mod demo;
pub mod doctor;
pub mod down;
pub mod drain;
pub mod errors;
pub mod explain;
pub mod hdfs;
pub mod image;
pub mod keeper;
pub mod kubeconfig;
pub mod man;
pub mod node;
pub mod node_agent;
pub mod notebook;
pub mod operator;
pub mod repair;
pub mod status;
pub mod uninstall;
pub mod up;
pub mod yard_net;
