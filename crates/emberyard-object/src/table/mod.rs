//! The table form (`as=Table`) that kubectl prints.
//!
//! Columns are published data; what stands in the cells is Go code upstream
//! (`k8s.io/kubernetes/pkg/printers/internalversion`) and a table of cells here.

mod cell;
mod cells;
mod duration;
mod event;
mod jsonpath;
mod network;
mod pod;
mod storage;
mod workload;

pub use duration::human_duration;

use crate::{Column, Kind};
use cell::Cell;
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// What each row carries beside its cells (query parameter `includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncludeObject {
    /// The object's metadata.
    #[default]
    Metadata,
    /// Nothing.
    None,
    /// The object.
    Object,
}

impl IncludeObject {
    /// From the query parameter.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// A `meta.k8s.io/v1` `Table` of `rows`, with empty list metadata for the caller to fill. `with_columns` is false for
/// all but the first event of a watch.
pub fn render(kind: &Kind, rows: &[&Value], include: IncludeObject, with_columns: bool, now: Timestamp) -> Value {
    let generic = [generic_column("Name", "name"), generic_column("Age", "")];
    let columns: &[Column] = if kind.columns.is_empty() { &generic } else { &kind.columns };
    let cells = cells::of(&kind.gvr.group, &kind.gvr.resource).filter(|cells| cells.len() == columns.len());
    let rows: Vec<Value> = rows
        .iter()
        .map(|object| {
            let cells: Vec<Value> = match cells {
                Some(cells) => cells.iter().map(|cell| cell.of(object, now)).collect(),
                None => columns.iter().map(|column| by_column(column, object, now)).collect(),
            };
            row(object, cells, include)
        })
        .collect();
    let columns = if with_columns { columns } else { &[] };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": columns.iter().map(definition).collect::<Vec<_>>(), "rows": rows})
}

fn generic_column(name: &str, format: &str) -> Column {
    Column {
        name: name.to_owned(),
        type_: "string".to_owned(),
        format: format.to_owned(),
        priority: 0,
        json_path: String::new(),
    }
}

fn definition(column: &Column) -> Value {
    json!({"name": column.name, "type": column.type_, "format": column.format, "priority": column.priority,
        "description": column.name})
}

/// A cell of a kind that has no cells of its own: a custom resource's path, or what every object has.
fn by_column(column: &Column, object: &Value, now: Timestamp) -> Value {
    match (column.json_path.as_str(), column.name.as_str()) {
        ("", "Name") => Cell::Name.of(object, now),
        ("", "Age") => Cell::Age.of(object, now),
        ("", "Created At") => Cell::Path(&["metadata", "creationTimestamp"]).of(object, now),
        ("", _) => json!(""),
        (path, _) => match (jsonpath::find(object, path), column.type_.as_str()) {
            (None, _) => Value::Null,
            (Some(Value::String(text)), "date") => json!(cell::age(&text, now)),
            (Some(Value::String(text)), _) => json!(text),
            (Some(value), "string") => json!(value.to_string()),
            (Some(value), _) => value,
        },
    }
}

fn row(object: &Value, cells: Vec<Value>, include: IncludeObject) -> Value {
    match include {
        IncludeObject::None => json!({"cells": cells}),
        IncludeObject::Object => json!({"cells": cells, "object": object}),
        IncludeObject::Metadata => json!({"cells": cells, "object": {"kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]}}),
    }
}

#[cfg(test)]
mod tests;
