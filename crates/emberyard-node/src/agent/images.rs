//! Images, as the node's status lists them.

use emberyard_image::Store;
use serde_json::{Value, json};

/// Kubernetes' own limit of images in a node's status.
const MOST: usize = 50;

/// The images of the store.
pub(super) fn list(store: &Store) -> Value {
    let images = store.list().unwrap_or_default();
    let one = |i: &emberyard_image::ImageSummary| json!({"names": [i.name, format!("{}@{}", i.name, i.id)], "sizeBytes": i.bytes});
    Value::Array(images.iter().take(MOST).map(one).collect())
}
