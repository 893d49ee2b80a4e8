//! Runs controllers: what they watch is fed to their step functions, what they ask for goes through the same request path
//! as anyone's, under each controller's own identity.

mod feed;
mod feeds;
mod runner;

pub use feeds::Feeds;
pub use runner::run;
