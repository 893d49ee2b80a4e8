//! What the server fills in where a client said nothing.

use crate::Kind;
use serde_json::Value;

/// Fills in defaults: for built-in kinds what upstream does in Go, for custom resources what their schema says.
pub fn apply(_kind: &Kind, _object: &mut Value) {
    todo!()
}
