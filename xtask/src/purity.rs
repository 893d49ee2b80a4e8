//! What the source of the pure rings may not contain, whatever the manifests say.

use crate::layers::LAYERS;
use std::path::Path;

/// Text that may not stand in rings 0 and 1, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("async fn", "no async: decide in synchronous functions of values"),
    (".await", "no async: decide in synchronous functions of values"),
    ("SystemTime", "no clock: time is an argument"),
    ("Instant::now", "no clock: time is an argument"),
    ("Timestamp::now", "no clock: time is an argument"),
    ("Zoned::now", "no clock: time is an argument"),
    ("std::fs", "no files: values come in and go out"),
    ("std::env", "no environment: settings are arguments"),
    ("std::net::Tcp", "no network"),
    ("std::process", "no processes"),
    ("std::thread", "no threads"),
    ("HashMap", "no HashMap order: use BTreeMap"),
    ("HashSet", "no HashMap order: use BTreeSet"),
    ("println!", "no logging: what is worth saying goes into the report"),
    ("eprintln!", "no logging: what is worth saying goes into the report"),
    ("rand::rng()", "no unseeded randomness: pass it in"),
];

/// Reads every source file of rings 0 and 1. Files of tests (tests.rs, tests/) may use what they need.
pub fn check() -> Result<(), String> {
    let mut wrong = Vec::new();
    for (name, ring, _) in LAYERS {
        if *ring < 2 {
            walk(&crate::root().join("crates").join(format!("emberyard-{name}")).join("src"), &mut wrong)?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("pure rings broken:\n  {}", wrong.join("\n  "))) }
}

fn walk(folder: &Path, wrong: &mut Vec<String>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                walk(&path, wrong)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            inspect(&path, &text, wrong);
        }
    }
    Ok(())
}

fn inspect(path: &Path, text: &str, wrong: &mut Vec<String>) {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    for (number, line) in product.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (word, why) in FORBIDDEN {
            if line.contains(word) {
                wrong.push(format!("{}:{}: `{word}`: {why}", path.display(), number + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_a_pure_ring_is_found() {
        let mut wrong = Vec::new();
        inspect(Path::new("x.rs"), "fn f() { let t = SystemTime::now(); }\n// HashMap in a comment\n", &mut wrong);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }
}
