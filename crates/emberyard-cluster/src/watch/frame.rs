//! Events as bytes.

use super::{Selection, WatchForm};
use crate::store::{Event, Form, Object, Told};
use crate::{Revision, present};
use bytes::Bytes;
use emberyard_model::Timestamp;
use emberyard_object::{Kind, table};
use serde_json::{Value, json};

/// `{"type":…,"object":…}` and a newline.
fn wrap(word: &str, object: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(object.len() + 40);
    frame.extend_from_slice(b"{\"type\":\"");
    frame.extend_from_slice(word.as_bytes());
    frame.extend_from_slice(b"\",\"object\":");
    frame.extend_from_slice(object);
    frame.extend_from_slice(b"}\n");
    Bytes::from(frame)
}

/// How to show one object.
pub(super) struct Frames<'a> {
    pub(super) selection: &'a Selection,
    pub(super) form: WatchForm,
    /// Whether a table names its columns.
    pub(super) columns: bool,
    pub(super) now: Timestamp,
}

impl Frames<'_> {
    /// An object that was there when the watch began.
    pub(super) fn added(&self, object: &Object) -> Bytes {
        self.encode(Told::Added, object, object.revision)
    }

    /// A change, as it looks through the watch's selectors; `None` if it does not.
    pub(super) fn event(&self, event: &Event) -> Option<Bytes> {
        let told = event.told(|object| self.selection.picks(object))?;
        // What stops to be selected is shown with its last selected state; what is deleted, with its last state.
        let shown = match (&event.before, told) {
            (Some(before), Told::Deleted) if event.change == crate::Change::Put => before,
            _ => &event.object,
        };
        let form = match self.form {
            WatchForm::Whole => Some(Form::Whole),
            WatchForm::Partial => Some(Form::Partial),
            WatchForm::Table(_) => None,
        };
        let encode = || self.encode(told, shown, event.revision());
        Some(match form {
            Some(form) if present::is_stored_form(&self.selection.kind, &shown.value) => {
                event.frame(told, form, encode)
            }
            _ => encode(),
        })
    }

    fn encode(&self, told: Told, object: &Object, revision: Revision) -> Bytes {
        let kind = &self.selection.kind;
        if self.form == WatchForm::Whole && revision == object.revision && present::is_stored_form(kind, &object.value)
        {
            return wrap(told.word(), &object.json);
        }
        let mut value = present::as_kind(kind, &object.value).into_owned();
        value["metadata"]["resourceVersion"] = json!(revision.to_string());
        let value = match self.form {
            WatchForm::Whole => value,
            WatchForm::Partial => present::partial(&value),
            WatchForm::Table(include) => {
                let mut table = table::render(kind, &[&value], include, self.columns, self.now);
                table["metadata"] = json!({"resourceVersion": revision.to_string()});
                table
            }
        };
        wrap(told.word(), value.to_string().as_bytes())
    }
}

/// A bookmark: an object of the kind with nothing but a revision.
pub(super) fn bookmark(kind: &Kind, form: WatchForm, revision: Revision, end_of_initial: bool) -> Bytes {
    let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
    if end_of_initial {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let object = match form {
        WatchForm::Whole => json!({"kind": kind.gvk.kind, "apiVersion": kind.gvk.api_version(), "metadata": metadata}),
        WatchForm::Partial => present::partial(&json!({"metadata": metadata})),
        WatchForm::Table(_) => json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata":
            {"resourceVersion": revision.to_string()}, "columnDefinitions": null, "rows":
            [{"cells": [], "object": present::partial(&json!({"metadata": metadata}))}]}),
    };
    wrap("BOOKMARK", object.to_string().as_bytes())
}

/// The end of a watch that asks for what is forgotten.
pub(super) fn error(status: &Value) -> Bytes {
    wrap("ERROR", status.to_string().as_bytes())
}
