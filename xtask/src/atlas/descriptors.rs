//! Protobuf descriptors of all stable kinds, and what JSON needs to know beside them.

use super::go_types::GoTypes;
use protox::file::{File, FileResolver};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// What goes into the data folder.
pub struct Wire {
    /// An encoded `FileDescriptorSet`.
    pub descriptors: Vec<u8>,
    /// `{packages: {apiVersion: proto package}, slices: [message…], messages: {message: {field: flags}}}`.
    pub fields: Value,
}

/// API versions with their Go packages. Kinds that are not served yet are there too, so that a body of theirs is
/// understood before it is refused.
const PACKAGES: &[(&str, &str)] = &[
    ("v1", "k8s.io/api/core/v1"),
    ("apps/v1", "k8s.io/api/apps/v1"),
    ("authentication.k8s.io/v1", "k8s.io/api/authentication/v1"),
    ("authorization.k8s.io/v1", "k8s.io/api/authorization/v1"),
    ("autoscaling/v1", "k8s.io/api/autoscaling/v1"),
    ("autoscaling/v2", "k8s.io/api/autoscaling/v2"),
    ("batch/v1", "k8s.io/api/batch/v1"),
    ("coordination.k8s.io/v1", "k8s.io/api/coordination/v1"),
    ("discovery.k8s.io/v1", "k8s.io/api/discovery/v1"),
    ("events.k8s.io/v1", "k8s.io/api/events/v1"),
    ("networking.k8s.io/v1", "k8s.io/api/networking/v1"),
    ("policy/v1", "k8s.io/api/policy/v1"),
    ("rbac.authorization.k8s.io/v1", "k8s.io/api/rbac/v1"),
    ("scheduling.k8s.io/v1", "k8s.io/api/scheduling/v1"),
    ("storage.k8s.io/v1", "k8s.io/api/storage/v1"),
    ("apiextensions.k8s.io/v1", "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"),
];

/// Finds the modules' files by their import paths.
struct Modules(Vec<(&'static str, PathBuf)>);

impl FileResolver for Modules {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        for (module, folder) in &self.0 {
            if let Some(rest) = name.strip_prefix(&format!("{module}/")) {
                let source = std::fs::read_to_string(folder.join(rest)).map_err(protox::Error::new)?;
                return File::from_source(name, &source);
            }
        }
        Err(protox::Error::file_not_found(name))
    }
}

/// Compiles the files, drops comments, and keeps the field facts of the messages that are in.
pub fn make(modules: &[(&'static str, PathBuf)], go_types: &GoTypes) -> Result<Wire, String> {
    let mut compiler = protox::Compiler::with_file_resolver(Modules(modules.to_vec()));
    compiler.include_imports(true).include_source_info(false);
    for (_, package) in PACKAGES {
        compiler.open_file(format!("{package}/generated.proto")).map_err(|e| e.to_string())?;
    }
    let packages: Map<String, Value> = PACKAGES
        .iter()
        .map(|(version, package)| ((*version).to_owned(), json!(super::go_types::proto_package(package))))
        .collect();
    let names: Vec<String> =
        compiler.descriptor_pool().all_messages().map(|message| message.full_name().to_owned()).collect();
    let messages: Map<String, Value> =
        names.iter().filter_map(|name| Some((name.clone(), facts(go_types, name)?))).collect();
    let slices: Vec<&String> = go_types.slices.iter().filter(|slice| names.contains(slice)).collect();
    let fields = json!({"packages": packages, "slices": slices, "messages": messages});
    Ok(Wire { descriptors: compiler.encode_file_descriptor_set(), fields })
}

/// `{field: {name?, inline?, omitZero?}}` for the fields where there is something to say.
fn facts(go_types: &GoTypes, message: &str) -> Option<Value> {
    let mut facts = Map::new();
    for field in &go_types.structs.get(message)?.fields {
        let mut fact = Map::new();
        if field.inline {
            fact.insert("inline".to_owned(), json!(true));
        } else if field.json != field.proto {
            fact.insert("name".to_owned(), json!(field.json));
        }
        if field.omits_zero() {
            fact.insert("omitZero".to_owned(), json!(true));
        }
        if !fact.is_empty() {
            facts.insert(field.proto.clone(), Value::Object(fact));
        }
    }
    (!facts.is_empty()).then_some(Value::Object(facts))
}
