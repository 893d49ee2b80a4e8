//! `demo`: plays a part of the tutorial on a yard of this folder, each step with its verdict and time.

use crate::api::admin;
use crate::cli::{Demo, DemoPart, Up};
use crate::demo::{Stage, scale, tutorial};
use crate::error::Failure;
use crate::session;
use crate::yard::{NotebookSettings, Settings, YardDir};
use clap::Parser;

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
    let notebook = start(dir, part).await?;
    let mut stage = Stage::new(admin(dir).await?, notebook);
    match part {
        DemoPart::Tutorial => tutorial::play(&mut stage).await,
        DemoPart::Scale => scale::play(&mut stage).await,
    }
}

/// The yard as the tutorial has it: from two to four nodes, the notebook under its name.
async fn start(dir: &YardDir, part: DemoPart) -> Result<NotebookSettings, Failure> {
    if super::up::running(dir).is_none() {
        super::doctor::preflight(dir)?;
    }
    // The folder of a demo is its own: nobody's files are shown around.
    let folder = dir.path().join("demo");
    std::fs::create_dir_all(&folder).map_err(|source| Failure::Folder { path: folder.clone(), source })?;
    let folder = folder.display().to_string();
    let mut words = vec!["emberyard", "up", &folder, "--detach", "--no-browser"];
    if part == DemoPart::Scale {
        words.extend(["--nodes", "2..4", "--node-shape", "cpu=4,memory=6Gi"]);
    }
    let typed = crate::cli::Cli::try_parse_from(words).map_err(|error| Failure::Usage(error.to_string()))?;
    let crate::cli::Verb::Up(up) = typed.verb else { return Err(Failure::Usage("up".to_owned())) };
    let up: Up = up;
    super::up::bring_up(dir, &up).await?;
    let notebook = Settings::load(dir)?.and_then(|settings| settings.notebook);
    let notebook = notebook
        .ok_or_else(|| Failure::Usage("the running yard has no notebook: `emberyard down`, then again".to_owned()))?;
    session::open(dir, &notebook).await?;
    Ok(notebook)
}
