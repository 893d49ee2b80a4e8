//! `demo`: plays a part of the tutorial on a yard of this folder, each step with its verdict and time.

use crate::api::admin;
use crate::cli::{Demo, DemoPart, Form, Up};
use crate::demo::{Played, Stage, scale, tutorial};
use crate::error::Failure;
use crate::progress::note;
use crate::session;
use crate::yard::{NotebookSettings, Settings, YardDir};
use clap::Parser;
use emberyard_manifest::Sizes;
use emberyard_model::Bytes;

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
    let (notebook, available) = start(dir, part, steps).await?;
    let executors = match part {
        DemoPart::Tutorial => Sizes::tutorial(available),
        DemoPart::Scale => Sizes::of(available).scale(available).executors,
    };
    let most = match part {
        DemoPart::Tutorial => 2,
        DemoPart::Scale => 10,
    };
    if executors < most {
        let gib = available.0 as f64 / f64::from(1 << 30);
        note(&format!("{gib:.1} GiB of memory are available: the demo takes {executors} executors in place of {most}"));
    }
    let mut stage = Stage::new(admin(dir).await?, notebook, executors, steps);
    match part {
        DemoPart::Tutorial => tutorial::play(&mut stage).await,
        DemoPart::Scale => scale::play(&mut stage).await,
    }
}

/// The yard as the tutorial has it: from two to four nodes, the notebook under its name. Also the memory that was
/// available when it started.
async fn start(dir: &YardDir, part: DemoPart, steps: &mut Played) -> Result<(NotebookSettings, Bytes), Failure> {
    if super::up::running(dir).is_none() {
        super::doctor::preflight(dir)?;
    }
    // The folder of a demo is its own: nobody's files are shown around.
    let folder = dir.path().join("demo");
    std::fs::create_dir_all(&folder).map_err(|source| Failure::Folder { path: folder.clone(), source })?;
    let folder = folder.display().to_string();
    let available = Bytes(crate::machine::available_memory());
    let mut words = vec!["emberyard", "up", &folder, "--detach", "--no-browser"];
    let shape = format!("cpu=4,memory={}", Sizes::of(available).scale(available).node_memory);
    if part == DemoPart::Scale {
        words.extend(["--nodes", "2..4", "--node-shape", &shape]);
    }
    let typed = crate::cli::Cli::try_parse_from(words).map_err(|error| Failure::Usage(error.to_string()))?;
    let crate::cli::Verb::Up(up) = typed.verb else { return Err(Failure::Usage("up".to_owned())) };
    let up: Up = up;
    if super::up::running(dir).is_none() {
        super::up::prepare(dir, &up).await?;
        steps.good("images", "notebook and executors have theirs");
    }
    super::up::bring_up(dir, &up).await?;
    steps.good("yard", "its processes run");
    let notebook = Settings::load(dir)?.and_then(|settings| settings.notebook);
    let notebook = notebook
        .ok_or_else(|| Failure::Usage("the running yard has no notebook: `emberyard down`, then again".to_owned()))?;
    session::open(dir, &notebook).await?;
    steps.good("notebook", "JupyterLab answers");
    Ok((notebook, available))
}
