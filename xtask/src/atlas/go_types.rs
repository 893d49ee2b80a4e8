//! What only the Go sources say: which fields are pointers, which are inlined, which are left out when zero.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A field with a protobuf tag.
pub struct Field {
    /// Name in JSON; "" when inlined.
    pub json: String,
    /// Name in the message.
    pub proto: String,
    /// Whether its members appear in the parent.
    pub inline: bool,
    pointer: bool,
    omit_empty: bool,
}

impl Field {
    /// Whether JSON written by Go lacks the field when it holds its type's zero value.
    pub fn omits_zero(&self) -> bool {
        self.omit_empty && !self.pointer
    }
}

/// A struct.
#[derive(Default)]
pub struct Struct {
    pub fields: Vec<Field>,
}

/// All types of all packages.
#[derive(Default)]
pub struct GoTypes {
    /// By full protobuf name (`k8s.io.api.core.v1.Pod`).
    pub structs: BTreeMap<String, Struct>,
    /// Named slices, which on the wire are a message with `items`.
    pub slices: Vec<String>,
}

impl GoTypes {
    /// Reads all packages of the modules.
    pub fn read(modules: &[(&str, PathBuf)]) -> Result<Self, String> {
        let mut types = Self::default();
        for (module, folder) in modules {
            types.read_folder(&proto_package(module), folder)?;
        }
        Ok(types)
    }

    /// By OpenAPI name (`io.k8s.api.core.v1.Pod`).
    pub fn of_openapi(&self, name: &str) -> Option<&Struct> {
        self.structs.get(&proto_package(&format!("k8s.io/{}", name.strip_prefix("io.k8s.")?)))
    }

    fn read_folder(&mut self, package: &str, folder: &Path) -> Result<(), String> {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
            .map_err(|e| format!("{}: {e}", folder.display()))?;
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                self.read_folder(&format!("{package}.{name}"), &path)?;
            } else if let Some(stem) = name.strip_suffix(".go")
                && !stem.ends_with("_test")
                && !stem.starts_with("zz_generated")
                && stem != "generated.pb"
            {
                let source = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                self.read_source(package, &source);
            }
        }
        Ok(())
    }

    fn read_source(&mut self, package: &str, source: &str) {
        let mut open: Option<(String, Struct)> = None;
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("type ") {
                let (name, what) = rest.split_once(' ').unwrap_or((rest, ""));
                if what.starts_with("struct {") && !what.ends_with('}') {
                    open = Some((format!("{package}.{name}"), Struct::default()));
                } else if what.starts_with("[]") {
                    self.slices.push(format!("{package}.{name}"));
                }
            } else if line.starts_with('}') {
                if let Some((name, found)) = open.take()
                    && !found.fields.is_empty()
                {
                    self.structs.insert(name, found);
                }
            } else if let Some((_, found)) = &mut open {
                found.fields.extend(field(line));
            }
        }
    }
}

/// `Name Type `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"``; an embedded field has no name.
fn field(line: &str) -> Option<Field> {
    let (declaration, tags) = line.trim().split_once('`')?;
    let words: Vec<&str> = declaration.split_whitespace().collect();
    let json = tag(tags, "json")?;
    if json == "-" {
        return None;
    }
    let wire = tag(tags, "protobuf")?;
    let proto = match wire.split(',').find_map(|part| part.strip_prefix("name=")) {
        Some(name) => name.to_owned(),
        None => lower_first(words.first()?),
    };
    let mut options = json.split(',');
    let name = options.next()?;
    let options: Vec<&str> = options.collect();
    Some(Field {
        json: name.to_owned(),
        proto,
        inline: name.is_empty(),
        pointer: words.last().is_some_and(|type_| type_.starts_with('*')),
        omit_empty: options.contains(&"omitempty") || options.contains(&"omitzero"),
    })
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// The protobuf package of a Go package.
pub fn proto_package(go_package: &str) -> String {
    go_package.replace('/', ".").replace('-', "_")
}

fn tag<'a>(tags: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = tags.split_once(&format!("{key}:\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields() {
        let mut types = GoTypes::default();
        types.read_source(
            "k8s.io.api.core.v1",
            "type ExtraValue []string\ntype Probe struct {\n\t// text\n\
             \tHandler `json:\",inline\" protobuf:\"bytes,1,opt,name=handler\"`\n\
             \tPeriod int32 `json:\"period,omitempty\" protobuf:\"varint,2,opt,name=period\"`\n\
             \tGrace *int64 `json:\"grace,omitempty\" protobuf:\"varint,3,opt,name=grace\"`\n}\n",
        );
        let probe = types.of_openapi("io.k8s.api.core.v1.Probe").unwrap();
        let read: Vec<_> = probe.fields.iter().map(|f| (f.proto.as_str(), f.inline, f.omits_zero())).collect();
        assert_eq!(read, [("handler", true, false), ("period", false, true), ("grace", false, false)]);
        assert_eq!(types.slices, ["k8s.io.api.core.v1.ExtraValue"]);
    }
}
