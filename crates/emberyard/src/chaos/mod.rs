//! Carries out what `emberyard-sim` plans: jobs in the yard's own notebook, faults at their moments, and a look at what came of it.

mod clock;
mod find;
mod full;
pub mod hdfs;
mod health;
mod job;
mod leftovers;
mod linger;
mod strike;
mod volume;

use crate::cli::Up;
use crate::demo::Stage;
use crate::error::Failure;
use crate::yard::YardDir;
use emberyard_front::kernel::Kernel;
use emberyard_sim::{Fault, Happening, JobEnd, Promise, Report, Strike, Took, Wrote};
use hdfs::{Hdfs, Writer, Written};
use std::time::{Duration, Instant};

/// Waiting for something to be cleared or healthy is given up after this.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where a rehearsal plays.
pub struct Scene {
    /// The yard.
    pub dir: YardDir,
    /// What is typed to bring it up again.
    pub up: Up,
    /// Its API and notebook.
    pub stage: Stage,
    /// Its HDFS, where one is to be struck.
    pub hdfs: Option<Hdfs>,
}

/// What goes on from one strike to the next.
#[derive(Default)]
struct Kept {
    session: Option<Kernel>,
    writer: Option<Writer>,
    written: Written,
}

/// Plays every strike; each happening is told as it comes.
pub async fn rehearse(scene: &Scene, seed: u64, strikes: Vec<Strike>, tell: impl Fn(&Happening)) -> Report {
    let begun = Instant::now();
    let mut report = Report { seed, happenings: Vec::new(), leftovers: Vec::new() };
    let mut kept = Kept::default();
    for strike in strikes {
        let happening = play(scene, strike, &mut kept, begun).await;
        tell(&happening);
        // Where a session is lost with what held it, the writer's kernel may be, too.
        let lost = happening.strike.fault.promise() != Promise::Answer;
        report.happenings.push(happening);
        if let Some(writer) = kept.writer.take_if(|_| lost) {
            writer.close().await;
        }
    }
    if let Some(mut writer) = kept.writer {
        report.leftovers.extend(writer.clean(&kept.written).await.err());
        writer.close().await;
    }
    if let Took::Never(left) = leftovers::cleared(scene, Instant::now()).await {
        report.leftovers.push(left);
    }
    report
}

/// One strike: a session, a job in it, the fault meanwhile, and what came of all three. The session is kept if it goes on.
async fn play(scene: &Scene, strike: Strike, kept: &mut Kept, begun: Instant) -> Happening {
    let mut happening = Happening {
        at_seconds: begun.elapsed().as_secs(),
        target: None,
        job_end: JobEnd::Failed { why: "it was not started".to_owned() },
        healthy: Took::Never("it was not looked at".to_owned()),
        cleared: None,
        wrote: None,
        troubles: Vec::new(),
        strike,
    };
    let struck = scene.hdfs.as_ref().filter(|_| happening.strike.fault.is_of_hdfs());
    if let Some(hdfs) = struck {
        let fault = happening.strike.fault;
        happening.troubles.extend(hdfs::ready(scene, hdfs, &mut kept.writer, fault).await.err());
    }
    let mut kernel = match job::session(scene, kept.session.take()).await {
        Ok(kernel) => kernel,
        Err(failure) => {
            happening.troubles.push(format!("a session did not start: {failure}"));
            return happening;
        }
    };
    if let Some(writer) = kept.writer.as_mut().filter(|_| struck.is_some()) {
        happening.troubles.extend(writer.begin(&kept.written, &happening.strike).await.err());
    }
    let kernel_id = kernel.kernel_id().to_owned();
    let fault = happening.strike.fault;
    let (job_end, after) = tokio::join!(
        job::run(&mut kernel, happening.strike.job, happening.strike.lasts()),
        fault_meanwhile(scene, &happening.strike, &kernel_id, begun, &mut happening.at_seconds),
    );
    happening.job_end = job_end;
    happening.healthy = after.healthy;
    happening.cleared = after.cleared;
    match after.struck {
        Ok(target) => happening.target = Some(target),
        Err(why) => happening.troubles.push(why),
    }
    if let Some(hdfs) = struck {
        match read_back(scene, hdfs, kept).await {
            Ok(wrote) => happening.wrote = Some(wrote),
            Err(why) => happening.troubles.push(why),
        }
    }
    let lives_on = fault.promise() == Promise::Answer && !happening.strike.ends_session;
    if lives_on {
        happening.troubles.extend(leftovers::twins(scene).await.err());
        kept.session = Some(kernel);
        return happening;
    }
    if fault.promise() == Promise::Answer {
        let since = job::stop(&scene.stage, &mut kernel, &happening.strike).await;
        happening.cleared = Some(leftovers::cleared(scene, since).await);
    }
    // The kernel itself may be gone already.
    drop(kernel.close().await);
    happening
}

/// Ends the writing, waits until every block is safe, and compares.
async fn read_back(scene: &Scene, hdfs: &Hdfs, kept: &mut Kept) -> Result<Wrote, String> {
    let writer = kept.writer.as_mut().ok_or("nothing was written")?;
    let read = async {
        let mut wrote = writer.end(&mut kept.written).await?;
        if let Took::Never(seen) = hdfs::settled(scene, hdfs, PATIENCE).await {
            wrote.lost.push(format!("copies of blocks: {seen}"));
        }
        writer.compare(&mut kept.written, &mut wrote).await?;
        Ok(wrote)
    };
    let read = read.await;
    // A kernel that does not answer as it should is replaced; what it had written counts on.
    if read.is_err()
        && let Some(writer) = kept.writer.take()
    {
        writer.close().await;
    }
    read
}

/// What was seen from the strike on.
struct After {
    struck: Result<String, String>,
    healthy: Took,
    /// When nothing was left of a session that is lost. Nobody closes it: what died takes everything with it.
    cleared: Option<Took>,
}

/// Waits for the strike's moment, strikes, and waits until the yard is well.
async fn fault_meanwhile(scene: &Scene, strike: &Strike, kernel: &str, begun: Instant, at_seconds: &mut u64) -> After {
    tokio::time::sleep(strike.after()).await;
    *at_seconds = begun.elapsed().as_secs();
    let struck = strike::strike(scene, strike, kernel).await;
    let ended = Instant::now();
    if strike.fault.promise() == Promise::Answer {
        return After { struck, healthy: health::wait(scene, strike.fault, ended).await, cleared: None };
    }
    let (healthy, cleared) = tokio::join!(health::wait(scene, strike.fault, ended), leftovers::cleared(scene, ended));
    After { struck, healthy, cleared: Some(cleared) }
}

/// Milliseconds since.
fn took(since: Instant) -> Took {
    Took::Ms(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// Asks again and again until the answer is good or patience ends.
async fn until(since: Instant, patience: Duration, mut look: impl AsyncFnMut() -> Result<(), String>) -> Took {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(()) => return took(since),
            Err(seen) if begun.elapsed() > patience => return Took::Never(seen),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// What the command line asks for, checked.
pub fn faults(list: &str) -> Result<Vec<Fault>, Failure> {
    emberyard_sim::parse(list).map_err(|error| Failure::Usage(error.to_string()))
}
