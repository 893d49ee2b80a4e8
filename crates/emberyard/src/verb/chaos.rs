//! `chaos`: rehearses faults on a yard of this folder, and judges.

use crate::api::admin;
use crate::chaos::hdfs::Hdfs;
use crate::chaos::{self, Scene};
use crate::cli::{Chaos, Form};
use crate::demo::Stage;
use crate::error::Failure;
use crate::output;
use crate::progress::note;
use crate::yard::{Settings, YardDir, clock};
use emberyard_sim::{Report, Strike, schedule};

/// Runs the verb. A yard that was not running is started and, unless `--keep`, stopped again.
pub async fn run(dir: &YardDir, arguments: &Chaos, form: Form) -> Result<(), Failure> {
    let faults = chaos::faults(&arguments.faults)?;
    let seed = arguments.seed.unwrap_or_else(|| crate::machine::random() % 1_000_000);
    let strikes = schedule(&faults, seed, arguments.count);
    if arguments.plan {
        return show_plan(form, &strikes);
    }
    note(&format!("{} faults, seed {seed}", strikes.len()));
    let was_running = super::up::running(dir).is_some();
    let played = play(dir, seed, strikes, form).await;
    let mut report = match played {
        Ok(report) => report,
        Err(failure) => {
            if !was_running && !arguments.keep {
                super::down::stop(dir)?;
            }
            return Err(failure);
        }
    };
    if !was_running && !arguments.keep {
        super::down::stop(dir)?;
        let left = emberyard_sandbox::find(dir.path()).map_err(|error| Failure::Machine(error.to_string()))?;
        report.leftovers.extend(left.iter().map(|process| format!("process {}", process.pid)));
    } else if let hours @ 1.. = clock::ahead(dir).as_secs() / 3600 {
        note(&format!(
            "the yard's clock stays {hours} h ahead until the yard is started anew: `emberyard down`, then `up`"
        ));
    }
    if matches!(form, Form::Json | Form::Yaml) {
        output::structured(form, &report)?;
    } else {
        output::line(&report.verdict())?;
    }
    if report.is_good() {
        Ok(())
    } else {
        Err(Failure::Chaos { broken: report.broken(), left: report.leftovers.len(), seed })
    }
}

fn show_plan(form: Form, strikes: &[Strike]) -> Result<(), Failure> {
    if matches!(form, Form::Json | Form::Yaml) {
        return Ok(output::structured(form, &strikes)?);
    }
    for strike in strikes {
        output::line(&strike.to_string())?;
    }
    Ok(())
}

async fn play(dir: &YardDir, seed: u64, strikes: Vec<Strike>, form: Form) -> Result<Report, Failure> {
    // A yard that runs keeps the folder it has, also when `up` is typed again.
    let kept = Settings::load(dir)?.and_then(|settings| settings.notebook).map(|notebook| notebook.folder);
    let folder = match kept {
        Some(folder) => folder,
        None => super::demo::own_folder(dir)?,
    };
    let up = super::demo::as_typed(&folder, &[])?;
    let notebook = super::demo::start(dir, &up).await?;
    let mut scene = Scene { dir: dir.clone(), up, stage: Stage::new(admin(dir).await?, notebook), hdfs: None };
    if !scene.stage.left().await?.is_empty() {
        let why = "Spark sessions run in this yard, and a rehearsal would kill them: end them first, or name another \
                   folder with --dir";
        return Err(Failure::Usage(why.to_owned()));
    }
    let lines = matches!(form, Form::Table | Form::Wide);
    let tell = |happening: &emberyard_sim::Happening| {
        if lines {
            drop(output::line(&happening.line()));
        } else {
            note(&happening.line());
        }
    };
    if strikes.iter().any(|strike| strike.fault.is_of_hdfs()) {
        let stage = &scene.stage;
        scene.hdfs = Some(Hdfs::find_or_make(dir, stage.client(), stage.notebook()).await?);
    }
    let played = tokio::select! {
        report = chaos::rehearse(&scene, seed, strikes, tell) => Ok(report),
        // What lasts is undone as the rehearsal is dropped.
        _ = tokio::signal::ctrl_c() => Err(Failure::Usage("the rehearsal was broken off".to_owned())),
    };
    let removed = match &scene.hdfs {
        Some(hdfs) => hdfs.remove(scene.stage.client()).await,
        None => Ok(()),
    };
    let mut report = played?;
    report.leftovers.extend(removed.err().map(|failure| failure.to_string()));
    Ok(report)
}
