//! Sessions and their jobs.

use super::Scene;
use crate::demo::Stage;
use crate::error::Failure;
use emberyard_front::kernel::{Kernel, RunError};
use emberyard_sim::{Job, JobEnd, Strike};
use std::time::{Duration, Instant};

/// A job takes seconds; with all that may happen to it, not longer than this.
const PATIENCE: Duration = Duration::from_secs(150);

/// The session that goes on, or a new one.
pub async fn session(scene: &Scene, kept: Option<Kernel>) -> Result<Kernel, Failure> {
    if let Some(kernel) = kept {
        return Ok(kernel);
    }
    let mut kernel = scene.stage.kernel().await?;
    let started = limited(scene.stage.cell(&mut kernel, "session", Job::session()), PATIENCE).await;
    match started {
        Ok(_) => Ok(kernel),
        Err(failure) => {
            drop(kernel.close().await);
            Err(failure)
        }
    }
}

/// Runs a job to its end, whatever that is.
pub async fn run(kernel: &mut Kernel, job: Job, pause: Duration) -> JobEnd {
    let failed = |error: RunError| Failure::Demo { step: "job".to_owned(), why: error.to_string() };
    let printed = Box::pin(async { printed(kernel, job).await.map_err(failed) });
    match limited(printed, PATIENCE + pause).await {
        Ok(text) => JobEnd::Printed { text },
        Err(failure) => JobEnd::Failed { why: failure.to_string() },
    }
}

/// What the job says. The kernel's last words may have gone down with a gateway that was killed, or the cell itself: which job's
/// answer the kernel has is asked then, since it may still have the one before. A cell that did not arrive is run again.
async fn printed(kernel: &mut Kernel, job: Job) -> Result<String, RunError> {
    let mark = crate::machine::random();
    let code = format!("asked, answer = {mark}, None\n{}", job.code());
    let question = format!("print(answer if globals().get('asked') == {mark} else 'unasked')");
    loop {
        match Stage::printed(kernel, &code).await {
            Err(RunError::Cut) => {}
            Ok(text) if text.trim().is_empty() => {}
            ended => return ended,
        }
        match Stage::printed(kernel, &question).await?.trim() {
            "unasked" => {}
            // The job itself failed, and how it did was lost.
            "None" => return Err(RunError::Cut),
            answer => return Ok(answer.to_owned()),
        }
    }
}

/// Ends a session as its user may: by `spark.stop()`, or by ending the kernel. Gives the moment.
pub async fn stop(stage: &Stage, kernel: &mut Kernel, strike: &Strike) -> Instant {
    let code = if strike.pick.is_multiple_of(2) { "spark.stop()" } else { "exit()" };
    let begun = Instant::now();
    // Whatever it says, what is left afterwards counts.
    drop(limited(stage.cell(kernel, "stop", code), Duration::from_secs(30)).await);
    begun
}

async fn limited<T>(work: impl Future<Output = Result<T, Failure>>, patience: Duration) -> Result<T, Failure> {
    let late = || Failure::Demo { step: "cell".to_owned(), why: format!("no end after {} s", patience.as_secs()) };
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(late()))
}
