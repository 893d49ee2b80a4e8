//! JSON patch, with bounds: a small patch must not make a huge or bottomless object.

use super::PatchError;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Most operations of one patch (as upstream).
const MOST_OPERATIONS: usize = 10_000;
/// Most bytes that copies and moves may carry altogether (upstream's bound for copies).
const MOST_CARRIED: usize = 3 << 20;
/// Deepest nesting that a result may have; bodies are read to 128 levels.
const DEEPEST: usize = 256;

/// JSON patch (RFC 6902): `operations` is the array. All or nothing.
pub fn json(target: &Value, operations: &Value) -> Result<Value, PatchError> {
    let patch: Patch = serde_json::from_value(operations.clone())
        .map_err(|e| PatchError::Malformed(format!("error decoding patch: {e}")))?;
    let count = patch.0.len();
    if count > MOST_OPERATIONS {
        let text = format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {count}");
        return Err(PatchError::Malformed(text));
    }
    let mut result = target.clone();
    let mut carried = 0;
    for operation in &patch.0 {
        carried += weigh(&result, operation)?;
        if carried > MOST_CARRIED {
            return Err(PatchError::Malformed(format!(
                "copies and moves of a JSON patch may carry {MOST_CARRIED} bytes"
            )));
        }
        json_patch::patch(&mut result, std::slice::from_ref(operation))
            .map_err(|e| PatchError::Unfit(e.to_string()))?;
    }
    Ok(result)
}

/// How many bytes an operation copies or moves; refuses what would nest too deep.
fn weigh(target: &Value, operation: &PatchOperation) -> Result<usize, PatchError> {
    let (levels, value, carried) = match operation {
        PatchOperation::Add(add) => (add.path.count(), Some(&add.value), false),
        PatchOperation::Replace(replace) => (replace.path.count(), Some(&replace.value), false),
        PatchOperation::Copy(copy) => (copy.path.count(), target.pointer(copy.from.as_str()), true),
        PatchOperation::Move(move_) => (move_.path.count(), target.pointer(move_.from.as_str()), true),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Ok(0),
    };
    let depth = levels + value.map_or(0, depth);
    if depth > DEEPEST {
        return Err(PatchError::Malformed(format!("a JSON patch may not nest deeper than {DEEPEST} levels")));
    }
    Ok(if carried { value.map_or(0, |value| value.to_string().len()) } else { 0 })
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
