//! Package indexes: finds a file by its name in a project's page, JSON (PEP 691) or HTML (PEP 503).

use crate::net::{FetchError, Http};
use serde::Deserialize;
use url::Url;

/// What we ask for: JSON, else HTML.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// File name.
    pub name: String,
    /// Absolute address.
    pub url: String,
    /// SHA-256, hex, if the index says it.
    pub sha256: Option<String>,
}

/// Reads the page of `project` (normalised name) in the index at `base`.
pub fn files(http: &Http, base: &str, project: &str) -> Result<Vec<Listed>, FetchError> {
    let page = format!("{base}/{project}/");
    let document = http.get(&page, Some(ACCEPT))?;
    let bad = |why: String| FetchError::Failed { url: page.clone(), why };
    let origin = Url::parse(&page).map_err(|e| bad(e.to_string()))?;
    let text = String::from_utf8_lossy(&document.bytes);
    if document.content_type.contains("json") {
        from_json(&text, &origin).map_err(|e| bad(e.to_string()))
    } else {
        Ok(from_html(&text, &origin))
    }
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
struct PageFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

fn from_json(text: &str, origin: &Url) -> Result<Vec<Listed>, serde_json::Error> {
    let page: Page = serde_json::from_str(text)?;
    Ok(page
        .files
        .into_iter()
        .filter_map(|file| {
            let url = origin.join(&file.url).ok()?.to_string();
            Some(Listed { name: file.filename, url, sha256: file.hashes.get("sha256").cloned() })
        })
        .collect())
}

fn from_html(text: &str, origin: &Url) -> Vec<Listed> {
    text.split("<a ")
        .skip(1)
        .filter_map(|anchor| {
            let (_, rest) = anchor.split_once("href=")?;
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let href = rest[1..].split(quote).next()?.replace("&amp;", "&");
            let mut url = origin.join(&href).ok()?;
            let sha256 = url.fragment().and_then(|f| f.strip_prefix("sha256=")).map(str::to_ascii_lowercase);
            url.set_fragment(None);
            let name = url.path_segments()?.next_back()?.replace("%2B", "+");
            Some(Listed { name, url: url.to_string(), sha256 })
        })
        .collect()
}

/// The project a requirement names: `pyspark[sql]==4.3.0` -> `pyspark`.
pub fn name(requirement: &str) -> &str {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    &requirement[..end.unwrap_or(requirement.len())]
}

/// A project's name as indexes write it (PEP 503): lower case, runs of `-_.` as one `-`.
pub fn normalised(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_ascii_lowercase().chars() {
        if !matches!(c, '-' | '_' | '.') {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds_of_page() {
        let origin = Url::parse("https://host/simple/uv/").unwrap();
        let expected = vec![Listed {
            name: "uv-1-x.whl".into(),
            url: "https://host/f/uv-1-x.whl".into(),
            sha256: Some("ab".into()),
        }];
        let html = "<h1>x</h1><a href=\"../../f/uv-1-x.whl#sha256=AB\" data-x=\"&gt;=3\">uv</a>";
        assert_eq!(from_html(html, &origin), expected);
        let json = r#"{"files":[{"filename":"uv-1-x.whl","url":"/f/uv-1-x.whl","hashes":{"sha256":"ab"},"size":1}]}"#;
        assert_eq!(from_json(json, &origin).unwrap(), expected);
    }

    #[test]
    fn normalises_names() {
        assert_eq!(normalised("Jupyter__Lab.x"), "jupyter-lab-x");
        assert_eq!(name("pyspark[sql]==4.3.0"), "pyspark");
        assert_eq!(name("a"), "a");
    }
}
