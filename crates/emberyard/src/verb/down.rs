//! `down`: stops everything of this yard; `--purge` also removes its data, and says before what is lost.

use crate::cli::Down;
use crate::error::Failure;
use crate::keeper::protocol::{Answer, Ask, ask};
use crate::progress::{Step, note};
use crate::yard::YardDir;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;

/// Runs the verb.
pub fn run(dir: &YardDir, arguments: &Down) -> Result<(), Failure> {
    if arguments.purge && !arguments.yes {
        confirm(dir)?;
    }
    stop(dir)?;
    if arguments.purge {
        purge(dir)?;
    }
    Ok(())
}

/// Stops the yard, whoever of it still lives. Twice is safe.
pub fn stop(dir: &YardDir) -> Result<(), Failure> {
    if !dir.path().exists() {
        note(&format!("there is no yard in {}", dir.path().display()));
        return Ok(());
    }
    let step = Step::begin("stopping the yard");
    let answered = matches!(ask(&dir.keeper_socket(), &Ask::Down, Duration::from_secs(60)), Ok(Answer::Done));
    if answered {
        crate::keeper::wait_until_free(dir, Duration::from_secs(10));
    }
    // What a killed keeper left behind, and anything that did not end when asked.
    let swept = emberyard_sandbox::sweep(dir.path()).map_err(|error| Failure::Machine(error.to_string()))?;
    let text = match (answered, swept) {
        (true, 0) => "the yard is down".to_owned(),
        (false, 0) => "the yard was not running".to_owned(),
        (_, count) => format!("the yard is down; {count} processes of a killed keeper were stopped"),
    };
    step.done(&text);
    Ok(())
}

fn confirm(dir: &YardDir) -> Result<(), Failure> {
    note(&format!("This removes {}: volumes of notebooks, images, downloads, the journal.", dir.path().display()));
    note("Your own folder, the one JupyterLab opened on, is not touched.");
    ask_for_yes()
}

/// Asks whether to go on with what was said.
pub fn ask_for_yes() -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Purge("not confirmed: there is nobody to ask".to_owned()));
    }
    note("Type `yes` to go on:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() == "yes" { Ok(()) } else { Err(Failure::Purge("not confirmed".to_owned())) }
}

/// Whether the folder is a yard's.
pub fn is_a_yards(dir: &YardDir) -> bool {
    dir.settings().exists() || dir.images().exists()
}

/// Removes the yard's folder, and only one that is a yard's.
pub fn purge(dir: &YardDir) -> Result<(), Failure> {
    if !dir.path().exists() {
        return Ok(());
    }
    if !is_a_yards(dir) {
        return Err(Failure::Purge(format!("{} is not a yard's folder: it has no yard.json", dir.path().display())));
    }
    let step = Step::begin("removing the yard's data");
    emberyard_sandbox::remove_tree(dir.path()).map_err(|error| Failure::Purge(error.to_string()))?;
    step.done("the yard's data is removed");
    Ok(())
}
