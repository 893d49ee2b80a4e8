//! Certificate authorities as programs look for them, made from the package ca-certificates: one PEM bundle, and the
//! Java key store (format JKS 2, which Java reads by whatever name) that ca-certificates-java's scripts would make.

use crate::error::ImageError;
use crate::tree::Tree;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

const SOURCE: &str = "usr/share/ca-certificates/mozilla";
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where OpenSSL, and so Python, looks first.
const OPENSSL: &str = "usr/lib/ssl/cert.pem";
const JAVA: &str = "etc/ssl/certs/java/cacerts";
/// Java's own default; it protects nothing, the content is public.
const PASSWORD: &str = "changeit";

/// Writes both stores, where the root has ca-certificates.
pub fn write(tree: &mut Tree) -> Result<(), ImageError> {
    let folder = tree.root().join(SOURCE);
    if !folder.is_dir() {
        return Ok(());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(ImageError::io("read", &folder))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "crt"))
        .collect();
    files.sort();
    let mut bundle = String::new();
    let mut entries = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(ImageError::io("read", &file))?;
        bundle.push_str(text.trim_end());
        bundle.push('\n');
        let alias = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        for (number, der) in certificates(&text).into_iter().enumerate() {
            entries.push((if number == 0 { alias.clone() } else { format!("{alias}-{number}") }, der));
        }
    }
    tree.file(Path::new(BUNDLE), &mut bundle.as_bytes(), 0o644)?;
    tree.link(Path::new(OPENSSL), &Path::new("/").join(BUNDLE))?;
    tree.file(Path::new(JAVA), &mut java_key_store(&entries).as_slice(), 0o644)
}

fn certificates(pem: &str) -> Vec<Vec<u8>> {
    pem.split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .filter_map(|rest| rest.split("-----END").next())
        .filter_map(|body| STANDARD.decode(body.split_whitespace().collect::<String>()).ok())
        .collect()
}

/// A JKS key store of trusted certificates: header, entries, and a keyed SHA-1 over all of it.
fn java_key_store(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xFEED_FEED_u32.to_be_bytes());
    out.extend(2_u32.to_be_bytes());
    out.extend((entries.len() as u32).to_be_bytes());
    for (alias, der) in entries {
        out.extend(2_u32.to_be_bytes());
        text(&mut out, alias);
        out.extend((crate::tree::FIXED_TIME * 1000).to_be_bytes());
        text(&mut out, "X.509");
        out.extend((der.len() as u32).to_be_bytes());
        out.extend(der);
    }
    let mut keyed: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    keyed.extend(b"Mighty Aphrodite");
    keyed.extend(&out);
    out.extend(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &keyed).as_ref());
    out
}

/// Length and bytes. Aliases come from file names: outside ASCII, Java's modified UTF-8 is ordinary UTF-8 up to U+FFFF.
fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_for_everyone_and_a_key_store_for_java() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join(SOURCE);
        std::fs::create_dir_all(&source).unwrap();
        let pem = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        std::fs::write(source.join("B.crt"), pem).unwrap();
        std::fs::write(source.join("a.crt"), pem).unwrap();
        write(&mut Tree::new(dir.path())).unwrap();
        assert_eq!(std::fs::read_to_string(dir.path().join(BUNDLE)).unwrap(), pem.repeat(2));
        let store = std::fs::read(dir.path().join(JAVA)).unwrap();
        assert_eq!(store[..12], [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 2]);
        assert_eq!(store.len(), 12 + 2 * (4 + 3 + 8 + 7 + 4 + 3) + 20);
    }
}
