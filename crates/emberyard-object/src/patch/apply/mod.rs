//! Server-side apply: who owns which field.
//!
//! Rule source: `sigs.k8s.io/structured-merge-diff` (updater) and `k8s.io/apimachinery/pkg/util/managedfields`. Objects
//! written before anyone tracked them belong to `before-first-apply`, as upstream names it.

mod conflict;
mod diff;
mod elements;
mod fields;
mod managed;
mod merge;

pub use fields::FieldSet;

use crate::Kind;
use crate::schema::Cause;
use crate::view::list;
use emberyard_model::Timestamp;
use managed::{Entry, Operation};
use serde_json::{Value, json};

/// Who writes, and how.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// `fieldManager`, or the first word of the user agent for plain writes.
    pub name: &'a str,
    /// "" for the object itself, else `status`, `scale`, …
    pub subresource: &'a str,
    /// `apiVersion` the writer speaks.
    pub api_version: &'a str,
}

/// Why an apply is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields that would change: 409 with these causes (reason `FieldManagerConflict`).
    #[error("{message}")]
    Conflict {
        /// The text of the answer.
        message: String,
        /// One for each field.
        causes: Vec<Cause>,
    },
    /// The configuration is malformed: 400.
    #[error("{0}")]
    Malformed(String),
}

/// Applies `config` on `live` (`None` = create). The answer carries the new `metadata.managedFields`; it equals `live`
/// when nothing changed. The caller decodes, defaults and validates the answer as for any write.
pub fn apply(
    kind: &Kind,
    live: Option<&Value>,
    config: &Value,
    manager: Manager<'_>,
    force: bool,
    now: Timestamp,
) -> Result<Value, ApplyError> {
    let config = scoped(kind, config, manager.subresource)?;
    let mut entries = live.map(managed::read).unwrap_or_default();
    let mut before = live.cloned().unwrap_or_else(|| json!({}));
    managed::strip(&mut before);
    if live.is_some() && entries.is_empty() {
        entries.push(Entry::before_first_apply(kind, &before, manager.api_version, now));
    }
    let own = entries.iter().position(|entry| entry.is(manager, Operation::Apply));
    let last = own.map(|index| entries.remove(index));

    let mut wanted = diff::fields_of(&config, &kind.schema).map_err(ApplyError::Malformed)?;
    managed::strip_fields(&mut wanted);
    let mut merged = merge::merge(&before, &config, &kind.schema).map_err(ApplyError::Malformed)?;
    if let Some(last) = &last {
        let kept = entries.iter().fold(wanted.clone(), |kept, entry| kept.union(&entry.fields));
        merge::prune(&mut merged, &kind.schema, &last.fields, &kept);
    }

    let change = diff::between(&before, &merged, &kind.schema);
    let touched = change.modified.union(&change.added);
    if !force {
        conflict::check(&entries, &touched)?;
    }
    for entry in &mut entries {
        entry.fields = entry.fields.minus(&touched).minus(&change.removed);
    }
    let time = match &last {
        Some(last) if last.fields == wanted => last.time.clone(),
        _ => now.rfc3339(),
    };
    entries.push(Entry { time, ..Entry::new(manager, Operation::Apply, wanted, now) });
    managed::write(&mut merged, entries);
    Ok(merged)
}

/// Records in `new` (`metadata.managedFields`) that a plain write by `manager` changed it from `old` (`None` = create).
/// A client may empty the list to forget all owners.
pub fn track(kind: &Kind, old: Option<&Value>, new: &mut Value, manager: Manager<'_>, now: Timestamp) {
    let sent = new["metadata"].get("managedFields").is_some_and(Value::is_array);
    let mut entries = if sent { managed::read(new) } else { old.map(managed::read).unwrap_or_default() };
    managed::strip(new);
    let mut before = old.cloned().unwrap_or_else(|| json!({}));
    managed::strip(&mut before);
    let change = diff::between(&before, new, &kind.schema);
    let touched = change.modified.union(&change.added);
    let own = entries.iter().position(|entry| entry.is(manager, Operation::Update)).map(|index| entries.remove(index));
    for entry in &mut entries {
        entry.fields = entry.fields.minus(&touched).minus(&change.removed);
    }
    let held = own.as_ref().map(|own| own.fields.clone()).unwrap_or_default();
    let mut fields = held.union(&touched).minus(&change.removed);
    managed::strip_fields(&mut fields);
    let time = match own {
        Some(own) if own.fields == fields => own.time,
        _ => now.rfc3339(),
    };
    entries.push(Entry { time, ..Entry::new(manager, Operation::Update, fields, now) });
    managed::write(new, entries);
}

/// The part of a configuration that the path it came by may set.
fn scoped(kind: &Kind, config: &Value, subresource: &str) -> Result<Value, ApplyError> {
    let Value::Object(members) = config else {
        return Err(ApplyError::Malformed("an apply configuration must be an object".to_owned()));
    };
    if !list(config, &["metadata", "managedFields"]).is_empty() {
        return Err(ApplyError::Malformed("metadata.managedFields must be nil".to_owned()));
    }
    let mut members = members.clone();
    if let Some(Value::Object(meta)) = members.get_mut("metadata") {
        meta.remove("managedFields");
    }
    match subresource {
        "status" => members.retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status")),
        _ if kind.has_status_subresource() => drop(members.remove("status")),
        _ => {}
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests;
