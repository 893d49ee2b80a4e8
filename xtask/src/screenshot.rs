//! README's pictures, from a real yard: nothing in them is drawn.

use crate::tools::{Product, Temporary, product};
use std::process::{Command, Stdio};

/// Starts a yard, lets a browser play the tutorial's cell and take pictures, and removes the yard.
pub fn run() -> Result<(), String> {
    let Product { program, images } = product()?;
    let temporary = Temporary::new("screenshot")?;
    let files = temporary.path().join("spark");
    std::fs::create_dir(&files).map_err(|error| format!("{}: {error}", files.display()))?;
    let emberyard = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--dir").arg(temporary.path().join("yard")).args(words).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(format!("emberyard {} failed", words.join(" ")))
        }
    };
    let (files, store) = (files.display().to_string(), images.display().to_string());
    let taken = emberyard(&["up", &files, "--images", &store, "--detach", "--no-browser"]).and_then(|link| {
        let context = include_str!("../../crates/emberyard/src/demo/context.py");
        crate::browser::run("screenshot.mjs", &[&link, context])
    });
    let removed = emberyard(&["down", "--purge", "--yes"]);
    taken.and(removed)?;
    let folder = crate::root().join("docs/images");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for name in ["notebook.png", "executors.png"] {
        std::fs::copy(crate::browser::pictures().join(name), folder.join(name))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}
