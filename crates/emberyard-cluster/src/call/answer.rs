//! From outcomes to answers.

use super::{Call, Place};
use crate::failure::Failure;
use crate::reply::{Answer, Connect, Reply, TokenToSign, TokenToVerify, WatchStart};
use crate::store::Object;
use crate::watch::WatchForm;
use crate::{Revision, present};
use bytes::Bytes;
use emberyard_object::table;
use serde_json::{Value, json};

/// What a request came to.
#[derive(Debug)]
pub(crate) enum Done {
    /// A body with its status and content type.
    Body(u16, Bytes, &'static str),
    Watch(Box<WatchStart>),
    Connect(Box<Connect>),
    Sign(Box<TokenToSign>),
    Verify(Box<TokenToVerify>),
}

pub(crate) const JSON: &str = "application/json";

impl Done {
    pub(crate) fn value(status: u16, value: &Value) -> Self {
        Self::Body(status, Bytes::from(value.to_string()), JSON)
    }

    /// `Status: Success`.
    pub(crate) fn success(status: u16) -> Self {
        Self::value(
            status,
            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "code": status}),
        )
    }
}

impl Call<'_> {
    /// The answer that shows one stored object.
    pub(crate) fn shown(&self, at: &Place, status: u16, object: &Object) -> Done {
        if at.form == WatchForm::Whole && present::is_stored_form(&at.kind, &object.value) {
            return Done::Body(status, object.json.clone(), JSON);
        }
        self.shown_value(at, status, &present::as_kind(&at.kind, &object.value))
    }

    /// The answer that shows one object as its kind has it.
    pub(crate) fn shown_value(&self, at: &Place, status: u16, value: &Value) -> Done {
        match at.form {
            WatchForm::Whole => Done::value(status, value),
            WatchForm::Partial => Done::value(status, &present::partial(value)),
            WatchForm::Table(include) => {
                let mut table = table::render(&at.kind, &[value], include, true, self.now);
                table["metadata"] = json!({"resourceVersion": value["metadata"]["resourceVersion"]});
                Done::value(status, &table)
            }
        }
    }

    pub(crate) fn reply(self, outcome: Result<Done, Failure>) -> Reply {
        let revision = self.server.store.revision();
        let mut headers = self.headers;
        headers.extend(self.warnings.iter().map(|text| ("warning", warning(text))));
        let (status, body, content_type) = match outcome {
            Ok(Done::Body(status, body, content_type)) => (status, body, content_type),
            Ok(Done::Watch(start)) => return Reply::Watch(start),
            Ok(Done::Connect(connect)) => return Reply::Connect(connect),
            Ok(Done::Sign(token)) => return Reply::Sign(token),
            Ok(Done::Verify(token)) => return Reply::Verify(token),
            Err(failure) => {
                if let Some(seconds) = failure.retry_after {
                    headers.push(("retry-after", seconds.to_string()));
                }
                (failure.code, Bytes::from(failure.status().to_string()), JSON)
            }
        };
        let content_type = content_type.to_owned();
        Reply::Answer(Answer { status, content_type, headers, body, records: self.records, revision })
    }
}

/// A `Warning` header's value: code 299, no agent, quoted text.
fn warning(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control()).take(1000).flat_map(|c| match c {
        '"' | '\\' => vec!['\\', c],
        c => vec![c],
    });
    format!("299 - \"{}\"", clean.collect::<String>())
}

/// An answer that changes nothing.
pub(crate) fn plain(status: u16, value: &Value, revision: Revision) -> Answer {
    Answer {
        status,
        content_type: JSON.to_owned(),
        headers: Vec::new(),
        body: Bytes::from(value.to_string()),
        records: Vec::new(),
        revision,
    }
}
