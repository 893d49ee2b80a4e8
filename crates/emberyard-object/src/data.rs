//! The committed, generated data (see `data/README.md`).

use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

/// Served resources.
pub const KINDS: &[u8] = include_bytes!("../data/kinds.json.gz");
/// Definitions of all served kinds.
pub const SCHEMAS: &[u8] = include_bytes!("../data/schemas.json.gz");
/// OpenAPI documents.
pub const OPENAPI: &[u8] = include_bytes!("../data/openapi.pack");
/// Objects of a new server.
pub const BOOTSTRAP: &[u8] = include_bytes!("../data/bootstrap.json.gz");
/// Protobuf descriptors.
pub const DESCRIPTORS: &[u8] = include_bytes!("../data/protobuf.descriptors.gz");
/// Field facts beside the descriptors.
pub const FIELDS: &[u8] = include_bytes!("../data/protobuf.fields.json.gz");

/// Decompresses. The data is part of the program and its tests read all of it; damaged data would be empty.
pub fn inflate(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = GzDecoder::new(gzip).read_to_end(&mut bytes);
    if read.is_err() {
        bytes.clear();
    }
    bytes
}

/// Decompresses and reads JSON; damaged data would be null.
pub fn json(gzip: &[u8]) -> Value {
    serde_json::from_slice(&inflate(gzip)).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_can_be_read() {
        for data in [KINDS, SCHEMAS, BOOTSTRAP, FIELDS] {
            assert!(!json(data).is_null());
        }
        assert!(!inflate(DESCRIPTORS).is_empty());
    }
}
