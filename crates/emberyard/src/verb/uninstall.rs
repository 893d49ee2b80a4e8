//! `uninstall`: removes what Emberyard left on this machine. What goes and what stays is said before anything is done.

use super::down;
use super::kubeconfig::{own_file, without};
use crate::cli::{Form, Uninstall};
use crate::error::Failure;
use crate::output;
use crate::progress::note;
use crate::yard::YardDir;
use crate::yard::folder::write_private;
use serde::Serialize;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file or folder, and what it is.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place {
    path: PathBuf,
    what: String,
}

/// What goes and what stays; `-o json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    /// Removed, if `done`.
    goes: Vec<Place>,
    stays: Vec<Place>,
    done: bool,
}

/// Runs the verb.
pub fn run(dir: &YardDir, arguments: &Uninstall, form: Form) -> Result<(), Failure> {
    let kubeconfig = merged(dir);
    let program = std::env::current_exe().map_err(Failure::Output)?;
    let mut outcome = Outcome { goes: Vec::new(), stays: Vec::new(), done: false };
    if down::is_a_yards(dir) {
        let what = format!("volumes of notebooks, images, downloads, the journal: {}", size(dir.path()));
        outcome.goes.push(Place { path: dir.path().to_path_buf(), what });
    }
    if let Some((path, _)) = &kubeconfig {
        outcome.goes.push(Place { path: path.clone(), what: format!("its context {:?}", dir.context()) });
    }
    if let Some(path) = std::env::var_os("EMBERYARD_IMAGES").map(PathBuf::from).filter(|path| path.exists()) {
        let what = "images, which other yards may share: remove the folder if none does".to_owned();
        outcome.stays.push(Place { path, what });
    }
    let what = format!("the program: `{}`", removal(&program));
    outcome.stays.push(Place { path: program, what });
    note(&page(&outcome));

    // A program that asks for the list gets the list.
    if !outcome.goes.is_empty() && (arguments.yes || matches!(form, Form::Table | Form::Wide)) {
        if !arguments.yes {
            down::ask_for_yes()?;
        }
        down::stop(dir)?;
        if let Some((path, text)) = &kubeconfig {
            write_private(path, text.as_bytes()).map_err(|source| Failure::Folder { path: path.clone(), source })?;
        }
        down::purge(dir)?;
        outcome.done = true;
    }
    match form {
        Form::Json | Form::Yaml => Ok(output::structured(form, &outcome)?),
        Form::Table | Form::Wide => Ok(()),
    }
}

/// The user's own kubeconfig, where this yard's context is in it, and its text without.
fn merged(dir: &YardDir) -> Option<(PathBuf, String)> {
    let ours = std::fs::read_to_string(dir.kubeconfig()).ok()?;
    let path = own_file().ok()?;
    let text = without(&std::fs::read_to_string(&path).ok()?, &ours)?;
    Some((path, text))
}

fn page(outcome: &Outcome) -> String {
    let mut page = String::new();
    let list = |page: &mut String, places: &[Place]| {
        for place in places {
            let _ = write!(page, "\n  {}   {}", place.path.display(), place.what); // a String takes all
        }
    };
    if outcome.goes.is_empty() {
        page.push_str("there is nothing to remove");
    } else {
        page.push_str("This is removed:");
        list(&mut page, &outcome.goes);
    }
    page.push_str("\nThis stays:");
    list(&mut page, &outcome.stays);
    page.push_str("\n  your own folders, and yards in other folders (`emberyard --dir DIR uninstall`)");
    page
}

/// How the program itself goes: by whoever brought it.
fn removal(program: &Path) -> String {
    let environment = program.parent().and_then(Path::parent);
    match environment {
        Some(folder) if folder.join("uv-receipt.toml").exists() => "uv tool uninstall emberyard".to_owned(),
        Some(folder) if folder.join("pyvenv.cfg").exists() => {
            format!("{} -m pip uninstall emberyard", folder.join("bin/python").display())
        }
        _ => format!("rm {}", program.display()),
    }
}

/// What a folder takes on the disk. Files that can't be looked at count as nothing.
fn size(folder: &Path) -> String {
    let mut open = vec![folder.to_path_buf()];
    let (mut blocks, mut linked) = (0, HashSet::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            // A file of several names is there once.
            if metadata.is_dir() || metadata.nlink() == 1 || linked.insert((metadata.dev(), metadata.ino())) {
                blocks += metadata.blocks();
            }
            if metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    format!("{} MiB", (blocks * 512) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_brought_the_program_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bin/emberyard");
        assert_eq!(removal(&program), format!("rm {}", program.display()));
        std::fs::write(folder.path().join("pyvenv.cfg"), "").unwrap();
        assert_eq!(removal(&program), format!("{}/bin/python -m pip uninstall emberyard", folder.path().display()));
        std::fs::write(folder.path().join("uv-receipt.toml"), "").unwrap();
        assert_eq!(removal(&program), "uv tool uninstall emberyard");
    }

    #[test]
    fn a_folders_size_is_what_the_disk_gives_for_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), vec![1; 3 << 20]).unwrap();
        std::fs::hard_link(folder.path().join("a/b"), folder.path().join("c")).unwrap();
        assert_eq!(size(folder.path()), "3 MiB");
    }
}
