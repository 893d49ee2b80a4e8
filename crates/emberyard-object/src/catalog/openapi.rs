//! OpenAPI v3 documents: kept compressed, as they are sent.

use super::Catalog;
use crate::data;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::LazyLock;

/// One OpenAPI v3 document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Changes whenever the content does; also good as `ETag`.
    pub hash: String,
    /// The JSON, compressed by gzip: send as it is with `Content-Encoding: gzip`, or see [`Document::json`].
    pub gzip: Cow<'static, [u8]>,
}

impl Document {
    /// Compresses a document.
    pub(super) fn new(document: &Value) -> Self {
        let text = document.to_string();
        let hash = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory does not fail.
        let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        Self { hash, gzip: Cow::Owned(written.unwrap_or_default()) }
    }

    /// The JSON text.
    pub fn json(&self) -> Vec<u8> {
        data::inflate(&self.gzip)
    }

    pub(super) fn value(&self) -> Value {
        data::json(&self.gzip)
    }
}

static BUILTIN: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let split = data::OPENAPI.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (index, mut blobs) = data::OPENAPI.split_at(split);
    blobs = blobs.get(1..).unwrap_or(&[]);
    let index: Value = serde_json::from_slice(index).unwrap_or(Value::Null);
    let mut documents = BTreeMap::new();
    for entry in index.as_array().into_iter().flatten() {
        let length = entry["length"].as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let (blob, rest) = blobs.split_at(length.min(blobs.len()));
        blobs = rest;
        let text = |key: &str| entry[key].as_str().unwrap_or("").to_owned();
        documents.insert(text("path"), Document { hash: text("hash"), gzip: Cow::Borrowed(blob) });
    }
    documents
});

/// A definition of the published built-in ones, with all it refers to, as OpenAPI.
pub(super) fn published_definitions(path: &str) -> Value {
    BUILTIN.get(path).map_or(Value::Null, |document| document.value()["components"]["schemas"].take())
}

impl Catalog {
    /// `GET /openapi/v3`: paths of the documents, with their hashes.
    pub fn openapi_v3_index(&self) -> Value {
        let paths: serde_json::Map<String, Value> = BUILTIN
            .iter()
            .chain(&self.documents)
            .map(|(path, document)| {
                let url = format!("/openapi/v3/{path}?hash={}", document.hash);
                (path.clone(), json!({"serverRelativeURL": url}))
            })
            .collect();
        json!({"paths": paths})
    }

    /// `GET /openapi/v3/PATH`; `path` as in the index, for example `apis/storage.k8s.io/v1`.
    pub fn openapi_v3(&self, path: &str) -> Option<Document> {
        self.documents.get(path).or_else(|| BUILTIN.get(path)).cloned()
    }
}
