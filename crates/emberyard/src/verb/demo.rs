//! `demo`: plays a part of the tutorial on a yard of this folder, each step with its verdict and time.

use crate::api::admin;
use crate::cli::{Demo, DemoPart, Up};
use crate::demo::{Stage, scale, tutorial};
use crate::error::Failure;
use crate::session;
use crate::yard::{NotebookSettings, Settings, YardDir};
use clap::Parser;
use std::path::{Path, PathBuf};

/// Runs the verb. A yard that was not running is started and, unless `--keep`, stopped again.
pub async fn run(dir: &YardDir, arguments: &Demo) -> Result<(), Failure> {
    let was_running = super::up::running(dir).is_some();
    let outcome = play(dir, arguments.part).await;
    if !was_running && !arguments.keep {
        super::down::stop(dir)?;
    }
    outcome
}

async fn play(dir: &YardDir, part: DemoPart) -> Result<(), Failure> {
    let more: &[&str] =
        if part == DemoPart::Scale { &["--nodes", "2..4", "--node-shape", "cpu=4,memory=6Gi"] } else { &[] };
    let notebook = start(dir, &as_typed(&own_folder(dir)?, more)?).await?;
    let mut stage = Stage::new(admin(dir).await?, notebook);
    match part {
        DemoPart::Tutorial => tutorial::play(&mut stage).await,
        DemoPart::Scale => scale::play(&mut stage).await,
    }
}

/// The folder of a demo is its own: nobody's files are shown around.
pub fn own_folder(dir: &YardDir) -> Result<PathBuf, Failure> {
    let folder = dir.path().join("demo");
    std::fs::create_dir_all(&folder).map_err(|source| Failure::Folder { path: folder.clone(), source })?;
    Ok(folder)
}

/// `up` as it is typed for a demo.
pub fn as_typed(folder: &Path, more: &[&str]) -> Result<Up, Failure> {
    let folder = folder.display().to_string();
    let words = ["emberyard", "up", &folder, "--detach", "--no-browser"].into_iter().chain(more.iter().copied());
    let typed = crate::cli::Cli::try_parse_from(words).map_err(|error| Failure::Usage(error.to_string()))?;
    match typed.verb {
        crate::cli::Verb::Up(up) => Ok(up),
        _ => Err(Failure::Usage("up".to_owned())),
    }
}

/// The yard as the tutorial has it: from two to four nodes, the notebook under its name.
pub async fn start(dir: &YardDir, up: &Up) -> Result<NotebookSettings, Failure> {
    super::up::bring_up(dir, up).await?;
    let notebook = Settings::load(dir)?.and_then(|settings| settings.notebook);
    let notebook = notebook
        .ok_or_else(|| Failure::Usage("the running yard has no notebook: `emberyard down`, then again".to_owned()))?;
    session::open(dir, &notebook).await?;
    Ok(notebook)
}
