//! Cells of events, in both of their forms.

use super::cell::age;
use crate::view::{at, text};
use emberyard_model::Timestamp;
use serde_json::{Value, json};

/// The first of these fields that is there.
fn first<'a>(event: &'a Value, paths: &[&[&str]]) -> &'a str {
    paths.iter().map(|path| text(event, path)).find(|text| !text.is_empty()).unwrap_or("")
}

const FIRST: [&[&str]; 3] = [&["firstTimestamp"], &["deprecatedFirstTimestamp"], &["eventTime"]];
const LAST: [&[&str]; 3] = [&["series", "lastObservedTime"], &["lastTimestamp"], &["deprecatedLastTimestamp"]];

/// The FIRST SEEN column.
pub fn first_seen(event: &Value, now: Timestamp) -> String {
    age(first(event, &FIRST), now)
}

/// The LAST SEEN column.
pub fn last_seen(event: &Value, now: Timestamp) -> String {
    match first(event, &LAST) {
        "" => first_seen(event, now),
        last => age(last, now),
    }
}

fn involved(event: &Value) -> &Value {
    event.get("involvedObject").or_else(|| event.get("regarding")).unwrap_or(&Value::Null)
}

/// The OBJECT column: `pod/a`.
pub fn object(event: &Value) -> String {
    let object = involved(event);
    match (text(object, &["kind"]).to_lowercase(), text(object, &["name"])) {
        (kind, "") => kind,
        (kind, name) => format!("{kind}/{name}"),
    }
}

/// The SUBOBJECT column.
pub fn subobject(event: &Value) -> String {
    text(involved(event), &["fieldPath"]).to_owned()
}

/// The SOURCE column: who saw it, and where.
pub fn source(event: &Value) -> String {
    let component = first(
        event,
        &[
            &["source", "component"],
            &["deprecatedSource", "component"],
            &["reportingComponent"],
            &["reportingController"],
        ],
    );
    let host = first(event, &[&["source", "host"], &["deprecatedSource", "host"], &["reportingInstance"]]);
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}

/// The MESSAGE column.
pub fn message(event: &Value) -> String {
    first(event, &[&["message"], &["note"]]).trim().to_owned()
}

/// The COUNT column.
pub fn count(event: &Value) -> Value {
    let paths: [&[&str]; 3] = [&["series", "count"], &["count"], &["deprecatedCount"]];
    json!(paths.iter().find_map(|path| at(event, path).and_then(Value::as_i64)).unwrap_or(1))
}
