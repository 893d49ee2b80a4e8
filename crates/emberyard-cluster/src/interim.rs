//! Stand-ins until emberyard-object has them.

use emberyard_model::Timestamp;
use emberyard_object::Kind;
use emberyard_object::patch::apply::Manager;
use serde_json::Value;

pub(crate) fn track(_: &Kind, _: Option<&Value>, _: &mut Value, _: Manager<'_>, _: Timestamp) {}
