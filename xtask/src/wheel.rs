//! A wheel with a program inside, its manual pages and completions, so that `uv tool install` and `pip install` bring it.
//! Made here and not by a build backend: those compile a program of their own, and this one must be the one that was tried.
//!
//! Format: <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>.

use crate::tools::Temporary;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// On which systems a wheel may be installed: its platform tags with points between.
pub struct Python(pub String);

/// A file in a wheel.
struct Member {
    path: String,
    content: Vec<u8>,
    mode: u32,
}

const NAME: &str = "emberyard";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Shells and where they look for completions, under the environment's folder.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/emberyard"),
    ("zsh", "share/zsh/site-functions/_emberyard"),
    ("fish", "share/fish/vendor_completions.d/emberyard.fish"),
];

/// Makes the wheel in a folder and tells its path. The same program gives the same bytes.
pub fn wheel(program: &Path, python: &Python, folder: &Path) -> Result<PathBuf, String> {
    let path = folder.join(format!("{NAME}-{VERSION}-py3-none-{}.whl", python.0));
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let members = members(program, python)?;
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let part = path.with_extension("part");
    let file = std::fs::File::create(&part).map_err(|error| failed(&error))?;
    pack(members, file).map_err(|error| failed(&error))?;
    std::fs::rename(&part, &path).map_err(|error| failed(&error))?;
    Ok(path)
}

fn members(program: &Path, python: &Python) -> Result<Vec<Member>, String> {
    let data = format!("{NAME}-{VERSION}.data");
    let info = format!("{NAME}-{VERSION}.dist-info");
    let mut members = vec![
        Member { path: format!("{data}/scripts/{NAME}"), content: read(program)?, mode: 0o755 },
        text(format!("{info}/licenses/LICENSE"), read(&crate::root().join("LICENSE"))?),
        text(format!("{info}/METADATA"), metadata(&read(&crate::root().join("README.md"))?)),
        text(format!("{info}/WHEEL"), about(python).into_bytes()),
    ];
    for (shell, place) in SHELLS {
        members.push(text(format!("{data}/data/{place}"), said(program, &["completions", shell])?));
    }
    let pages = Temporary::new("man")?;
    said(program, &["man", &pages.path().display().to_string()])?;
    let folder = std::fs::read_dir(pages.path()).map_err(|error| error.to_string())?;
    for page in folder.flatten() {
        let name = page.file_name().to_string_lossy().into_owned();
        members.push(text(format!("{data}/data/share/man/man1/{name}"), read(&page.path())?));
    }
    members.sort_by(|a, b| a.path.cmp(&b.path));
    members.push(text(format!("{info}/RECORD"), record(&members, &info).into_bytes()));
    Ok(members)
}

fn metadata(readme: &[u8]) -> Vec<u8> {
    let head = format!(
        "Metadata-Version: 2.4\nName: {NAME}\nVersion: {VERSION}\nSummary: Apache Spark, elastic on Kubernetes, from a \
         notebook\nLicense-Expression: Apache-2.0\nLicense-File: LICENSE\nRequires-Python: >=3.8\nClassifier: Operating \
         System :: POSIX :: Linux\nDescription-Content-Type: text/markdown\n\n"
    );
    [head.as_bytes(), readme].concat()
}

fn about(python: &Python) -> String {
    let head = format!("Wheel-Version: 1.0\nGenerator: {NAME} xtask\nRoot-Is-Purelib: false");
    let tags = python.0.split('.').map(|platform| format!("Tag: py3-none-{platform}"));
    let lines: Vec<String> = std::iter::once(head).chain(tags).collect();
    lines.join("\n") + "\n"
}

/// The list of all files with their hashes, itself without.
fn record(members: &[Member], info: &str) -> String {
    let mut lines: Vec<String> = members
        .iter()
        .map(|member| format!("{},sha256={},{}", member.path, hash(&member.content), member.content.len()))
        .collect();
    lines.push(format!("{info}/RECORD,,"));
    lines.join("\n") + "\n"
}

/// SHA-256 as wheels write it: base64 of URLs, without padding.
fn hash(content: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(content))
}

fn pack(members: Vec<Member>, file: std::fs::File) -> zip::result::ZipResult<()> {
    let mut archive = ZipWriter::new(file);
    // The day that archives begin with, so that no clock is in the bytes.
    let common = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for member in members {
        archive.start_file(member.path, common.unix_permissions(member.mode))?;
        archive.write_all(&member.content)?;
    }
    archive.finish().map(drop)
}

fn text(path: String, content: Vec<u8>) -> Member {
    Member { path, content, mode: 0o644 }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What the program writes to standard output.
fn said(program: &Path, words: &[&str]) -> Result<Vec<u8>, String> {
    let output =
        Command::new(program).args(words).output().map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{} {words:?}: {}", program.display(), String::from_utf8_lossy(&output.stderr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_every_file_with_its_hash_and_itself_without() {
        let members = [text("a/b".to_owned(), b"abc".to_vec())];
        let wanted = "a/b,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\ninfo/RECORD,,\n";
        assert_eq!(record(&members, "info"), wanted);
    }

    #[test]
    fn each_platform_has_a_tag_of_its_own() {
        let text = about(&Python("manylinux2014_x86_64.musllinux_1_1_x86_64".to_owned()));
        assert!(text.ends_with("Tag: py3-none-manylinux2014_x86_64\nTag: py3-none-musllinux_1_1_x86_64\n"), "{text}");
    }
}
