//! A tiny image: a root without programs, on which pods mount the machine's `/usr` read-only.

use emberyard_image::{Silent, Store};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn file(tar: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, bytes).unwrap();
}

fn layer() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for folder in ["etc", "usr", "tmp", "home", "home/me"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(0o755);
        tar.append_data(&mut header, folder, std::io::empty()).unwrap();
    }
    for name in ["bin", "lib", "lib64"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        tar.append_link(&mut header, name, format!("usr/{name}")).unwrap();
    }
    file(&mut tar, "etc/passwd", b"root:x:0:0::/:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n");
    file(&mut tar, "etc/nsswitch.conf", b"hosts: files dns\n");
    tar.into_inner().unwrap()
}

/// Puts the image `tiny` into the store in `dir`.
pub fn import(dir: &Path) {
    let raw = layer();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&raw).unwrap();
    let packed = gzip.finish().unwrap();
    let config = serde_json::json!({"architecture": "amd64", "os": "linux",
        "config": {"User": "1000:1000", "Env": ["PATH=/usr/bin", "FROM_IMAGE=yes"], "WorkingDir": "/home/me", "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&raw)]}})
    .to_string();
    let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config.as_bytes()), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(&packed), "size": packed.len()}]})
    .to_string();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(manifest.as_bytes()), "size": manifest.len()}]})
    .to_string();
    let mut archive = tar::Builder::new(Vec::new());
    file(&mut archive, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    file(&mut archive, "index.json", index.as_bytes());
    for blob in [config.as_bytes(), manifest.as_bytes(), &packed] {
        file(&mut archive, &format!("blobs/sha256/{}", &digest(blob)[7..]), blob);
    }
    let bytes = archive.into_inner().unwrap();
    Store::open(dir).unwrap().import(&mut bytes.as_slice(), Some("tiny"), &mut Silent).unwrap();
}
