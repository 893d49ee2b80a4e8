//! Which crate may use which. The table is the architecture; the manifests must agree with it.

use std::collections::BTreeMap;

/// Crate, ring, and the crates of ours that it may use.
pub const LAYERS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("object", 1, &["model"]),
    ("cluster", 1, &["model", "object"]),
    ("control", 1, &["model", "object"]),
    ("pod", 1, &["model", "object"]),
    ("plan", 1, &["model"]),
    ("manifest", 1, &["model"]),
    ("client", 2, &["model"]),
    ("cloud", 2, &["model"]),
    ("sandbox", 2, &["model"]),
    ("image", 2, &["model", "sandbox"]),
    ("node", 2, &["model", "object", "pod", "sandbox", "image", "client"]),
    ("api", 2, &["model", "object", "cluster", "control"]),
    ("operator", 2, &["model", "plan", "manifest", "client", "cloud"]),
    ("front", 2, &["model", "client"]),
    ("sim", 3, &[]),
];

/// Crates that a pure ring may never name: each would bring a clock, files, threads or the network.
const IMPURE: &[&str] =
    &["tokio", "hyper", "kube", "rustix", "libc", "tracing", "getrandom", "ureq", "futures", "k8s-openapi"];

/// Compares every manifest with the table.
pub fn check() -> Result<(), String> {
    let allowed: BTreeMap<&str, (u8, &[&str])> =
        LAYERS.iter().map(|&(name, ring, uses)| (name, (ring, uses))).collect();
    let mut wrong = Vec::new();
    let folder = crate::root().join("crates");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let directory = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path().join("Cargo.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let manifest: toml::Table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
        if directory == "emberyard" {
            // Ring 3, the binary: wires everything, on Linux; elsewhere it is one sentence and compiles without us.
            let everywhere = dependencies(&manifest);
            wrong.extend(everywhere.iter().map(|one| format!("emberyard: {one} must be a dependency on Linux only")));
            continue;
        }
        let Some(&(ring, uses)) = directory.strip_prefix("emberyard-").and_then(|name| allowed.get(name)) else {
            wrong.push(format!("{directory}: not in xtask/src/layers.rs; say its ring and what it may use"));
            continue;
        };
        for dependency in dependencies(&manifest) {
            if let Some(ours) = dependency.strip_prefix("emberyard-") {
                if !uses.contains(&ours) {
                    wrong.push(format!("{directory}: may not use {dependency} (allowed: {uses:?})"));
                }
            } else if ring < 2 && IMPURE.contains(&dependency.as_str()) {
                wrong.push(format!("{directory}: ring {ring} is pure and may not use {dependency}"));
            } else if matches!(dependency.as_str(), "kube" | "k8s-openapi") && directory != "emberyard-client" {
                wrong.push(format!("{directory}: only emberyard-client names a Kubernetes client library"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("layering rules broken:\n  {}", wrong.join("\n  "))) }
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}
