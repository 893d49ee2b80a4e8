//! Runs controllers: what they watch is fed to their step function, what it asks for goes through the same request path
//! as anyone's, under the controller's own identity.

mod feed;
mod runner;

pub use runner::run;
