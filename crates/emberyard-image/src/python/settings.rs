//! Which Python package index the user has: uv's and pip's variables, then their configuration files, then PyPI.

use std::path::PathBuf;

/// The public index.
pub const PYPI: &str = "https://pypi.org/simple";

/// Index addresses without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexes {
    /// Where packages come from.
    pub default: String,
    /// Asked first, in order.
    pub extra: Vec<String>,
}

impl Indexes {
    /// As this machine and user have it.
    pub fn of_this_machine() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let config = std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        let mut files = vec![config.join("pip/pip.conf"), home.join(".pip/pip.conf"), PathBuf::from("/etc/pip.conf")];
        if let Some(file) = variable("PIP_CONFIG_FILE") {
            files.insert(0, file.into());
        }
        let pip: Vec<String> = files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        let uv = [config.join("uv/uv.toml"), PathBuf::from("/etc/uv/uv.toml")];
        let uv: Vec<String> = uv.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        Self::from(&variable, &pip, &uv)
    }

    fn from(variable: &dyn Fn(&str) -> Option<String>, pip: &[String], uv: &[String]) -> Self {
        let (uv_default, uv_extra) = uv.iter().map(|text| uv_toml(text)).next().unwrap_or_default();
        let setting = |key: &str| pip.iter().find_map(|text| pip_conf(text, key));
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let default = first(&["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
            .or(uv_default)
            .or_else(|| setting("index-url"))
            .unwrap_or_else(|| PYPI.to_owned());
        let extra = first(&["UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"]);
        let extra = extra.or_else(|| setting("extra-index-url")).map_or(uv_extra, |text| words(&text));
        Self { default: bare(&default), extra: extra.iter().map(|url| bare(url)).collect() }
    }

    /// Is it the public index alone, whose addresses the locks already have?
    pub fn public(&self) -> bool {
        self.default == PYPI && self.extra.is_empty()
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// `name=URL` as uv allows it becomes the URL.
fn bare(url: &str) -> String {
    let url = match url.split_once('=') {
        Some((name, rest)) if !name.contains(':') => rest,
        _ => url,
    };
    url.trim_end_matches('/').to_owned()
}

/// A key of pip's ini file, section `global` or `install`; continuation lines join.
fn pip_conf(text: &str, key: &str) -> Option<String> {
    let mut section = String::new();
    let mut found: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if line.starts_with([' ', '\t']) {
            if let Some(value) = &mut found {
                value.push(' ');
                value.push_str(trimmed);
            }
        } else if found.is_some() {
            return found;
        } else if let Some((name, value)) = trimmed.split_once('=')
            && name.trim().replace('_', "-") == key
            && matches!(section.as_str(), "global" | "install")
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

/// Default and extra indexes of uv's configuration file, old keys and new.
fn uv_toml(text: &str) -> (Option<String>, Vec<String>) {
    let Ok(table) = text.parse::<toml::Table>() else { return Default::default() };
    let text = |value: &toml::Value| value.as_str().map(str::to_owned);
    let old = |key: &str| table.get(key).or_else(|| table.get("pip").and_then(|pip| pip.get(key)));
    let mut default = old("index-url").and_then(text);
    let mut extra: Vec<String> =
        old("extra-index-url").and_then(toml::Value::as_array).into_iter().flatten().filter_map(text).collect();
    for index in table.get("index").and_then(toml::Value::as_array).into_iter().flatten() {
        let Some(url) = index.get("url").and_then(text) else { continue };
        if index.get("default").and_then(toml::Value::as_bool) == Some(true) {
            default = Some(url);
        } else {
            extra.push(url);
        }
    }
    (default, extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)], pip: &str, uv: &str) -> Indexes {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Indexes::from(&variable, &[pip.to_owned()], &[uv.to_owned()])
    }

    #[test]
    fn variables_before_files_before_pypi() {
        assert!(from(&[], "", "").public());
        let pip =
            "[global]\nindex-url = https://a/simple/\nextra_index_url =\n  https://b/x\n  https://c/y\ntimeout = 3\n";
        assert_eq!(from(&[], pip, "").default, "https://a/simple");
        assert_eq!(from(&[], pip, "").extra, ["https://b/x", "https://c/y"]);
        assert_eq!(from(&[("PIP_INDEX_URL", "https://d")], pip, "").default, "https://d");
        let uv = "[[index]]\nurl = 'https://e'\ndefault = true\n[[index]]\nname='f'\nurl = 'https://f'\n";
        assert_eq!(from(&[], pip, uv).default, "https://e");
        assert_eq!(from(&[], "", uv).extra, ["https://f"]);
        assert_eq!(from(&[("UV_INDEX", "own=https://g/simple/")], "", "").extra, ["https://g/simple"]);
    }
}
