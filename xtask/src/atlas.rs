//! `cargo xtask atlas DATA_DIR`: the table of kinds, made from what a real API server publishes.
//!
//! DATA_DIR holds openapi-v3.json, discovery.json, tables.json, defaults.json and bootstrap.json of one server
//! version. Wire forms and Go's zero-value rules come from the Go modules of the same version. The result goes to
//! `crates/emberyard-object/data/` and is committed; the same input gives the same bytes.

mod descriptors;
mod go_types;
mod kinds;
mod openapi;
mod schemas;
mod served;

use flate2::{Compression, write::GzEncoder};
use go_types::GoTypes;
use serde_json::{Map, Value};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of the Go modules; the minor version is that of the data.
const GO_MODULE_VERSION: &str = "v0.37.2";
const GO_MODULES: [&str; 3] = ["k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver"];

/// Reads everything, writes the data files, says how large they became.
pub fn run(data: &Path) -> Result<(), String> {
    let openapi = read(&data.join("openapi-v3.json"))?;
    let discovery = read(&data.join("discovery.json"))?;
    let tables = read(&data.join("tables.json"))?;
    let defaults = read(&data.join("defaults.json"))?;
    let bootstrap = read(&data.join("bootstrap.json"))?;
    let modules = go_modules()?;
    let go_types = GoTypes::read(&modules)?;

    let definitions = openapi::definitions(&openapi);
    let kinds = kinds::make(&discovery, &openapi, &tables, &defaults, &definitions)?;
    let out = crate::root().join("crates/emberyard-object/data");
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    write_json(&out, "kinds.json.gz", &kinds)?;
    write_json(&out, "schemas.json.gz", &schemas::make(&definitions, &kinds, &go_types)?)?;
    write_json(&out, "bootstrap.json.gz", &served_bootstrap(&bootstrap))?;
    write(&out, "openapi.pack", &openapi::pack(&openapi)?)?;
    let wire = descriptors::make(&modules, &go_types)?;
    write(&out, "protobuf.descriptors.gz", &gzip(&wire.descriptors)?)?;
    write_json(&out, "protobuf.fields.json.gz", &wire.fields)
}

/// The bootstrap objects whose kinds are served.
fn served_bootstrap(bootstrap: &Value) -> Value {
    let objects = bootstrap.as_array().map_or(&[][..], Vec::as_slice);
    Value::Array(objects.iter().filter(|object| served::serves_kind_of(object)).cloned().collect())
}

/// Folders of the Go modules, fetched when they are not there yet.
fn go_modules() -> Result<Vec<(&'static str, PathBuf)>, String> {
    let cache = crate::root().join("target/atlas-gomod");
    GO_MODULES
        .into_iter()
        .map(|module| {
            let output = std::process::Command::new("go")
                .args(["mod", "download", "-json", &format!("{module}@{GO_MODULE_VERSION}")])
                .env("GOMODCACHE", std::env::var_os("GOMODCACHE").unwrap_or_else(|| cache.clone().into()))
                .env("GOFLAGS", "-mod=mod")
                .current_dir(std::env::temp_dir())
                .output()
                .map_err(|e| format!("go (needed to fetch {module}): {e}"))?;
            let answer: Value = serde_json::from_slice(&output.stdout)
                .map_err(|_| format!("{module}: {}", String::from_utf8_lossy(&output.stderr)))?;
            let folder = answer["Dir"].as_str().ok_or_else(|| format!("{module}: {}", answer["Error"]))?;
            Ok((module, PathBuf::from(folder)))
        })
        .collect()
}

fn read(path: &Path) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// Compressed without name and time, so that equal content is equal bytes.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).map_err(|e| e.to_string())?;
    encoder.finish().map_err(|e| e.to_string())
}

fn write_json(folder: &Path, name: &str, value: &Value) -> Result<(), String> {
    write(folder, name, &gzip(value.to_string().as_bytes())?)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    eprintln!("{name}: {} bytes", bytes.len());
    Ok(())
}

/// The members of a JSON object; of anything else none.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE).iter()
}

/// The items of a JSON array; of anything else none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text, or "".
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
