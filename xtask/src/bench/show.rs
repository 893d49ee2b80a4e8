//! A notebook that is opened, until its first data frame is shown.

use super::context::{quiet, said, told};
use super::lab::Lab;
use super::record::{Measure, Unit};
use super::stock;
use super::yard::{PATIENCE, Yard};

/// From the begin of the kernel's process, beside stock `local[*]` from the begin of its own.
pub fn measure(lab: &Lab, yard: &Yard<'_>) -> Result<Measure, String> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..lab.rounds {
        quiet(lab, yard)?;
        ours.push(shown(&yard.kernel(&code(""), PATIENCE)?)?);
        said("first df.show()", &ours);
        quiet(lab, yard)?;
        theirs.push(shown(&stock::run(lab, yard, &code("local[*]"), PATIENCE)?)?);
        said("first df.show(), stock", &theirs);
    }
    Measure::new("kernel's start until the first df.show(), two executors", Unit::Seconds, ours)?
        .against("`local[*]`, no executors", theirs)
}

fn code(master: &str) -> String {
    include_str!("show.py").replace("@MASTER@", master)
}

fn shown(printed: &str) -> Result<f64, String> {
    told(printed, "shown ").ok_or_else(|| format!("nothing was shown; it printed:\n{printed}"))
}
