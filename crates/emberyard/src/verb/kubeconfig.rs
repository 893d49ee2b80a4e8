//! `kubeconfig`: prints one, or adds a context to the user's own file.

use crate::cli::Kubeconfig;
use crate::error::Failure;
use crate::yard::YardDir;
use crate::yard::folder::{home, write_private};
use serde_yaml_ng::{Mapping, Value};
use std::path::PathBuf;

/// Runs the verb.
pub fn run(dir: &YardDir, arguments: &Kubeconfig) -> Result<(), Failure> {
    let path = dir.kubeconfig();
    let text = std::fs::read_to_string(&path).map_err(|_| Failure::NoYard(dir.path().to_path_buf()))?;
    if !arguments.merge {
        return Ok(crate::output::raw(&text)?);
    }
    let target = own_file()?;
    let folder_error = |path: &PathBuf| {
        let path = path.clone();
        move |source| Failure::Folder { path, source }
    };
    let present = match std::fs::read_to_string(&target) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Failure::Folder { path: target, source }),
    };
    let merged = merge(&present, &text).map_err(|why| Failure::Usage(format!("{}: {why}", target.display())))?;
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(folder_error(&target))?;
    }
    write_private(&target, merged.as_bytes()).map_err(folder_error(&target))?;
    eprintln!("context \"emberyard\" is now in {} (the current context was left as it was)", target.display());
    Ok(())
}

/// The first file of `$KUBECONFIG`, else `~/.kube/config`, as kubectl chooses.
fn own_file() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("KUBECONFIG")
        .and_then(|list| std::env::split_paths(&list).find(|path| !path.as_os_str().is_empty()));
    match named {
        Some(path) => Ok(path),
        None => Ok(home()?.join(".kube/config")),
    }
}

/// Puts the yard's cluster, user and context into a kubeconfig, replacing only entries of the same name.
fn merge(present: &str, ours: &str) -> Result<String, String> {
    let parse = |text: &str| -> Result<Mapping, String> {
        if text.trim().is_empty() {
            return Ok(Mapping::new());
        }
        serde_yaml_ng::from_str(text).map_err(|error| format!("is not a kubeconfig: {error}"))
    };
    let mut result = parse(present)?;
    let ours = parse(ours)?;
    for (key, fixed) in [("apiVersion", "v1"), ("kind", "Config")] {
        result.entry(key.into()).or_insert_with(|| fixed.into());
    }
    for list in ["clusters", "users", "contexts"] {
        let added = ours.get(list).and_then(Value::as_sequence).cloned().unwrap_or_default();
        let slot = result.entry(list.into()).or_insert_with(|| Value::Sequence(Vec::new()));
        if slot.is_null() {
            *slot = Value::Sequence(Vec::new());
        }
        let entries = slot.as_sequence_mut().ok_or_else(|| format!("{list} is not a list"))?;
        entries.retain(|entry| !added.iter().any(|new| new.get("name") == entry.get("name")));
        entries.extend(added);
    }
    if let Some(current) = ours.get("current-context") {
        result.entry("current-context".into()).or_insert_with(|| current.clone());
    }
    serde_yaml_ng::to_string(&result).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn other_contexts_and_the_current_one_stay() {
        let present = "apiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n- name: work\n  cluster: {}\nusers: []\ncontexts: null\n";
        let ours = "clusters:\n- name: emberyard\n  cluster: {server: x}\nusers:\n- name: emberyard\ncontexts:\n- name: emberyard\ncurrent-context: emberyard\n";
        let once = merge(present, ours).unwrap();
        let twice = merge(&once, ours).unwrap();
        assert_eq!(once, twice);
        assert!(
            once.contains("current-context: work")
                && once.contains("- name: work")
                && once.contains("- name: emberyard"),
            "{once}"
        );
        assert!(merge("[1]", ours).is_err());
    }
}
