//! `kubeconfig`: prints one, or adds a context to the user's own file.

use crate::cli::Kubeconfig;
use crate::error::Failure;
use crate::yard::YardDir;
use crate::yard::folder::{home, write_private};
use serde_yaml_ng::{Mapping, Value};
use std::path::PathBuf;

/// What a context consists of.
const LISTS: [&str; 3] = ["clusters", "users", "contexts"];

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
    eprintln!("context \"{}\" is now in {} (the current context was left as it was)", dir.context(), target.display());
    Ok(())
}

/// The first file of `$KUBECONFIG`, else `~/.kube/config`, as kubectl chooses.
pub fn own_file() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("KUBECONFIG")
        .and_then(|list| std::env::split_paths(&list).find(|path| !path.as_os_str().is_empty()));
    match named {
        Some(path) => Ok(path),
        None => Ok(home()?.join(".kube/config")),
    }
}

/// Puts the yard's cluster, user and context into a kubeconfig, replacing only entries of the same name.
fn merge(present: &str, ours: &str) -> Result<String, String> {
    let mut result = parse(present)?;
    let ours = parse(ours)?;
    for (key, fixed) in [("apiVersion", "v1"), ("kind", "Config")] {
        result.entry(key.into()).or_insert_with(|| fixed.into());
    }
    for list in LISTS {
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

/// A kubeconfig without what [`merge`] put into it; none where it holds nothing of this yard, but perhaps another's, whose
/// server has another address.
pub fn without(present: &str, ours: &str) -> Option<String> {
    let (mut result, ours) = (parse(present).ok()?, parse(ours).ok()?);
    let server = |config: &Mapping, name: &Value| {
        let clusters = config.get("clusters")?.as_sequence()?;
        let cluster = clusters.iter().find(|cluster| cluster.get("name") == Some(name))?;
        cluster.get("cluster")?.get("server").cloned()
    };
    let name = ours.get("clusters")?.as_sequence()?.first()?.get("name")?.clone();
    let (there, here) = (server(&result, &name)?, server(&ours, &name)?);
    if there != here {
        return None;
    }
    for list in LISTS {
        let added = ours.get(list).and_then(Value::as_sequence).cloned().unwrap_or_default();
        if let Some(entries) = result.get_mut(list).and_then(Value::as_sequence_mut) {
            entries.retain(|entry| !added.iter().any(|own| own.get("name") == entry.get("name")));
        }
    }
    if result.get("current-context") == ours.get("current-context") {
        result.remove("current-context");
    }
    serde_yaml_ng::to_string(&result).ok()
}

/// A kubeconfig's entries; an empty file has none.
fn parse(text: &str) -> Result<Mapping, String> {
    if text.trim().is_empty() {
        return Ok(Mapping::new());
    }
    serde_yaml_ng::from_str(text).map_err(|error| format!("is not a kubeconfig: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{merge, without};

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

        let back = without(&once, ours).unwrap();
        assert!(back.contains("current-context: work") && !back.contains("emberyard"), "{back}");
        let alone = without(&merge("", ours).unwrap(), ours).unwrap();
        assert!(!alone.contains("emberyard"), "{alone}");
        assert_eq!(without(&once, &ours.replace("server: x", "server: y")), None);
        assert_eq!(without(present, ours), None);
        assert_eq!(without("[1]", ours), None);
    }
}
