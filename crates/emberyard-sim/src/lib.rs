//! Rehearsing faults, the part without a yard: which faults there are, when which strikes, what must hold under each, and
//! the report. All of it values; whoever runs a yard carries them out.

mod fault;
mod job;
mod promise;
mod random;
mod report;
mod schedule;
mod writer;

pub use fault::{Fault, UnknownFault, parse};
pub use job::Job;
pub use promise::Promise;
pub use report::{Happening, JobEnd, Report, Took};
pub use schedule::{Strike, schedule};
pub use writer::{Part, Wrote};
