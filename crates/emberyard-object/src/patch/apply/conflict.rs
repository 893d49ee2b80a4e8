//! Conflicts between owners, and how they are told.

use super::ApplyError;
use super::fields::FieldSet;
use super::managed::{Entry, Operation};
use crate::schema::Cause;

/// Refuses when a field in `touched` belongs to one of `others`.
pub fn check(others: &[Entry], touched: &FieldSet) -> Result<(), ApplyError> {
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for entry in others {
        let paths = entry.fields.common(touched).paths();
        if paths.is_empty() {
            continue;
        }
        let who = named(entry);
        lines.push(format!("conflicts with {who}:"));
        for path in paths {
            lines.push(format!("- {path}"));
            causes.push(Cause { reason: "FieldManagerConflict", field: path, message: format!("conflict with {who}") });
        }
    }
    let message = match causes.as_slice() {
        [] => return Ok(()),
        [only] => format!("Apply failed with 1 conflict: {}: {}", only.message, only.field),
        several => format!("Apply failed with {} conflicts: {}", several.len(), lines.join("\n")),
    };
    Err(ApplyError::Conflict { message, causes })
}

fn named(entry: &Entry) -> String {
    let mut text = format!("\"{}\"", entry.manager);
    if !entry.subresource.is_empty() {
        text = format!("{text} with subresource \"{}\"", entry.subresource);
    }
    if entry.operation == Operation::Update {
        text = format!("{text} using {}", entry.api_version);
        if !entry.time.is_empty() {
            text = format!("{text} at {}", entry.time);
        }
    }
    text
}
