//! `repair`: mends the journal of a stopped yard. Says what is lost before anything is changed; the damaged files are kept.

use crate::cli::{Form, Repair};
use crate::error::Failure;
use crate::keeper::children::{Records, Role};
use crate::output;
use crate::progress::note;
use crate::yard::YardDir;
use emberyard_api::journal::{Damage, Examined, examine, repair};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// What was found and done; `-o json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    journal: Examined,
    /// Where the damaged files are now; absent if nothing was changed.
    kept_aside: Option<PathBuf>,
    /// The revision at which the yard goes on; absent if nothing was changed.
    goes_on_at: Option<u64>,
}

/// Runs the verb.
pub fn run(dir: &YardDir, arguments: &Repair, form: Form) -> Result<(), Failure> {
    if !dir.journal().exists() {
        return Err(Failure::Repair(format!("{} holds no journal", dir.path().display())));
    }
    if crate::verb::up::running(dir).is_none() {
        // A keeper whose start failed, by this damage perhaps, is on its way out.
        crate::keeper::wait_until_free(dir, Duration::from_secs(10));
    }
    // Held until the end, so that no keeper starts meanwhile.
    let _lock = crate::keeper::lock(dir).map_err(|error| Failure::Repair(format!("{error}: stop the yard first")))?;
    if let Some(api) = Records::new(&dir.run()).adopt(&Role::Api) {
        let why = format!("the API server of a killed keeper still runs (process {}): run `emberyard down`", api.pid);
        return Err(Failure::Repair(why));
    }
    let wrong = |error: emberyard_api::journal::RepairError| Failure::Repair(error.to_string());
    let journal = examine(&dir.journal()).map_err(wrong)?;
    if journal.damage.is_empty() {
        note("the journal is whole: there is nothing to repair");
        return tell(form, &Outcome { journal, kept_aside: None, goes_on_at: None });
    }
    note(&page(&journal));
    if !arguments.yes && !confirmed()? {
        tell(form, &Outcome { journal, kept_aside: None, goes_on_at: None })?;
        return Err(Failure::Repair("nothing was changed: run it again with --yes to go on without that".to_owned()));
    }
    let aside = dir.path().join(format!("journal.damaged-{}", crate::machine::now().rfc3339().replace(':', "")));
    let revision = repair(&dir.journal(), &journal, &aside).map_err(wrong)?;
    note(&format!(
        "repaired: `emberyard up` goes on at revision {revision}; the damaged files are in {}",
        aside.display()
    ));
    tell(form, &Outcome { journal, kept_aside: Some(aside), goes_on_at: Some(revision) })
}

/// Results for programs; people have read it on standard error.
fn tell(form: Form, outcome: &Outcome) -> Result<(), Failure> {
    match form {
        Form::Json | Form::Yaml => Ok(output::structured(form, outcome)?),
        Form::Table | Form::Wide => Ok(()),
    }
}

fn page(journal: &Examined) -> String {
    let mut page =
        format!("{} changes and objects can be read, up to revision {}. Lost:", journal.readable, journal.revision);
    for damage in &journal.damage {
        let _ = write!(page, "\n  {}", line(damage)); // a String takes all
        for about in &damage.about {
            let _ = write!(page, "\n    about {about}");
        }
    }
    page.push_str("\nObjects that lost changes get back their last readable state; one that is known from lost changes only is gone.");
    page
}

fn line(Damage { file, offset, length, first_lost, last_lost, .. }: &Damage) -> String {
    let place = match length {
        0 if *offset == 0 => format!("{file}: the file before it is missing"),
        0 => format!("{file}: its end is missing from byte {offset} on"),
        _ => format!("{file}: {length} bytes from byte {offset} on"),
    };
    let lost = match (first_lost, last_lost) {
        (None, _) => "objects as they were when the snapshot was made".to_owned(),
        (Some(first), Some(last)) if last < first => "no change".to_owned(),
        (Some(first), Some(last)) if last == first => format!("the change of revision {first}"),
        (Some(first), Some(last)) => format!("the changes of revisions {first} to {last}"),
        (Some(first), None) => format!("all changes from revision {first} on"),
    };
    format!("{place}: {lost}")
}

fn confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    note("Type `yes` to go on without what is lost:");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}
