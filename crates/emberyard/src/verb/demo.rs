//! `demo`: plays a part of the tutorial on a yard of this folder, each step with its verdict and time.

use crate::api::admin;
use crate::cli::{Demo, DemoPart, Form, Up};
use crate::demo::{Played, Stage, hdfs, scale, tutorial};
use crate::error::Failure;
use crate::progress::note;
use crate::session;
use crate::yard::{NotebookSettings, Settings, YardDir};
use clap::Parser;
use emberyard_manifest::Sizes;
use emberyard_model::Bytes;
use std::path::{Path, PathBuf};

/// Runs the verb. A yard that was not running is started and, unless `--keep`, stopped again.
pub async fn run(dir: &YardDir, arguments: &Demo, form: Form) -> Result<(), Failure> {
    let was_running = super::up::running(dir).is_some();
    let mut steps = Played::begin(arguments.part);
    let outcome = play(dir, arguments.part, &mut steps).await;
    if let Err(failure) = &outcome {
        steps.failed(failure);
    }
    if !was_running && !arguments.keep {
        super::down::stop(dir)?;
    }
    if matches!(form, Form::Json | Form::Yaml) {
        crate::output::structured(form, &steps)?;
    }
    outcome
}

async fn play(dir: &YardDir, part: DemoPart, steps: &mut Played) -> Result<(), Failure> {
    let available = Bytes(crate::machine::available_memory());
    let (executors, most) = match part {
        DemoPart::Tutorial | DemoPart::Hdfs => (Sizes::tutorial(available), 2),
        DemoPart::Scale => (Sizes::of(available).scale(available).executors, 10),
    };
    if executors < most {
        let gib = available.0 as f64 / f64::from(1 << 30);
        note(&format!("{gib:.1} GiB of memory are available: the demo takes {executors} executors in place of {most}"));
    }
    let shape = format!("cpu=4,memory={}", Sizes::of(available).scale(available).node_memory);
    let more: &[&str] = match part {
        DemoPart::Tutorial => &[],
        DemoPart::Scale => &["--nodes", "2..4", "--node-shape", &shape],
        // A node for each DataNode comes with them.
        DemoPart::Hdfs => &["--nodes", "2..4", "--node-shape", "cpu=4,memory=6Gi"],
    };
    let was_running = super::up::running(dir).is_some();
    let up = as_typed(&dir.path().join("demo"), more)?;
    if !was_running {
        super::doctor::preflight(dir, &up.images.clone().unwrap_or_else(|| dir.images()))?;
    }
    own_folder(dir)?;
    if !was_running {
        super::up::prepare(dir, &up).await?;
        steps.good("images", "notebook and executors have theirs");
    }
    super::up::bring_up(dir, &up).await?;
    steps.good("yard", "its processes run");
    let notebook = open(dir).await?;
    steps.good("notebook", "JupyterLab answers");
    let stage = Stage::new(admin(dir).await?, notebook);
    match part {
        DemoPart::Tutorial => tutorial::play(&stage, steps, executors).await,
        DemoPart::Scale => scale::play(&stage, steps, executors).await,
        DemoPart::Hdfs => hdfs::play(dir, &stage, steps).await,
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

/// A yard with its notebook.
pub async fn start(dir: &YardDir, up: &Up) -> Result<NotebookSettings, Failure> {
    super::up::bring_up(dir, up).await?;
    open(dir).await
}

/// Waits until the yard's notebook answers.
async fn open(dir: &YardDir) -> Result<NotebookSettings, Failure> {
    let notebook = Settings::load(dir)?.and_then(|settings| settings.notebook);
    let notebook = notebook
        .ok_or_else(|| Failure::Usage("the running yard has no notebook: `emberyard down`, then again".to_owned()))?;
    session::open(dir, &notebook).await?;
    Ok(notebook)
}
