//! Unpacks package files (`ar` with a `data.tar.*` inside) into a folder that is to be a root file system.

use crate::error::ImageError;
use crate::tree::Tree;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use tar::EntryType;

/// Folders of the classic layout that are links into /usr (bookworm is usr-merged).
pub const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// Not needed inside an image. Copyright files stay: they are owed to the authors.
const LEFT_OUT: [&str; 9] = [
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bash-completion/",
    "usr/share/bug/",
    "usr/share/menu/",
    "usr/share/doc-base/",
    "usr/share/gdb/",
];

/// Unpacks one package file below `tree`'s root. Owners, device nodes and set-uid bits are not taken over.
pub fn unpack(package: &Path, tree: &mut Tree) -> Result<(), ImageError> {
    let bad = |why: String| ImageError::Unpack { what: package.display().to_string(), why };
    let file = File::open(package).map_err(ImageError::io("read", package))?;
    let data = data_member(BufReader::new(file)).map_err(bad)?;
    let mut archive = tar::Archive::new(data);
    for entry in archive.entries().map_err(|e| bad(e.to_string()))? {
        let mut entry = entry.map_err(|e| bad(e.to_string()))?;
        let path = entry.path().map_err(|e| bad(e.to_string()))?.into_owned();
        let Some(path) = wanted(&path) else { continue };
        let mode = entry.header().mode().unwrap_or(0o644) & 0o1777;
        let link = entry.link_name().ok().flatten().map(|link| link.into_owned());
        match (entry.header().entry_type(), link) {
            (EntryType::Directory, _) => tree.folder(&path, mode)?,
            (EntryType::Regular | EntryType::Continuous, _) => tree.file(&path, &mut entry, mode)?,
            (EntryType::Symlink, Some(link)) => tree.link(&path, &link)?,
            (EntryType::Link, Some(link)) => match wanted(&link) {
                Some(link) => tree.same(&path, &link)?,
                None => return Err(bad(format!("{} is a hard link to what is left out", path.display()))),
            },
            _ => {}
        }
    }
    Ok(())
}

/// The path below the root, usr-merged; none for what is left out.
fn wanted(path: &Path) -> Option<PathBuf> {
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    let first = path.components().next()?;
    let merged = MERGED.iter().any(|folder| first.as_os_str() == *folder);
    let path = if merged { Path::new("usr").join(path) } else { path.to_owned() };
    let text = path.to_string_lossy();
    if LEFT_OUT.iter().any(|folder| text.starts_with(folder) || text == folder.trim_end_matches('/')) {
        return None;
    }
    let doc = text.starts_with("usr/share/doc/") && path.file_name().is_none_or(|name| name != "copyright");
    (!doc || path.components().count() == 4).then_some(path)
}

/// The decompressed `data.tar` member.
fn data_member(mut file: impl Read + 'static) -> Result<Box<dyn Read>, String> {
    let mut magic = [0; 8];
    file.read_exact(&mut magic).map_err(|e| e.to_string())?;
    if &magic != b"!<arch>\n" {
        return Err("it is no Debian package".to_owned());
    }
    loop {
        let mut header = [0; 60];
        file.read_exact(&mut header).map_err(|_| "it has no data".to_owned())?;
        let text = String::from_utf8_lossy(&header);
        let name = text.get(..16).unwrap_or_default().trim().trim_end_matches('/').to_owned();
        let size: u64 =
            text.get(48..58).unwrap_or_default().trim().parse().map_err(|_| "a member has no size".to_owned())?;
        if let Some(kind) = name.strip_prefix("data.tar") {
            let data = file.take(size);
            return match kind {
                "" => Ok(Box::new(data)),
                ".gz" => Ok(Box::new(flate2::read::GzDecoder::new(data))),
                ".xz" => Ok(Box::new(liblzma::read::XzDecoder::new(data))),
                ".zst" => {
                    let decoder = ruzstd::decoding::StreamingDecoder::new(data).map_err(|e| e.to_string())?;
                    Ok(Box::new(decoder))
                }
                other => Err(format!("its data is packed as {other}, which is not known")),
            };
        }
        std::io::copy(&mut (&mut file).take(size + size % 2), &mut std::io::sink()).map_err(|e| e.to_string())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_usr_and_leaves_out_manuals() {
        let path = |text: &str| wanted(Path::new(text)).map(|p| p.display().to_string());
        assert_eq!(path("./bin/bash").unwrap(), "usr/bin/bash");
        assert_eq!(path("./lib64/ld.so").unwrap(), "usr/lib64/ld.so");
        assert_eq!(path("./etc/passwd").unwrap(), "etc/passwd");
        assert_eq!(path("./usr/share/man/man1/x.1.gz"), None);
        assert_eq!(path("./usr/share/doc/bash/changelog.gz"), None);
        assert!(path("./usr/share/doc/bash/copyright").is_some());
        assert_eq!(path("./"), None);
    }

    fn member(name: &str, data: &[u8]) -> Vec<u8> {
        let mut out = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, data.len()).into_bytes();
        out.extend_from_slice(data);
        if data.len() % 2 == 1 {
            out.push(b'\n');
        }
        out
    }

    #[test]
    fn unpacks_below_the_root_only() {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |kind: EntryType, path: &str, link: &str, data: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(0o4755);
            header.set_size(data.len() as u64);
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_cksum();
            builder.append(&header, data).unwrap();
        };
        add(EntryType::Directory, "./bin/", "", b"");
        add(EntryType::Regular, "./bin/tool", "", b"tool");
        add(EntryType::Link, "./bin/same", "./bin/tool", b"");
        add(EntryType::Symlink, "./out", "/etc", b"");
        add(EntryType::Regular, "./out/inside", "", b"x");
        let data = builder.into_inner().unwrap();
        let mut deb = b"!<arch>\n".to_vec();
        deb.extend(member("debian-binary", b"2.0\n\n"));
        deb.extend(member("data.tar", &data));
        let file = dir.path().join("x.deb");
        std::fs::write(&file, deb).unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        unpack(&file, &mut Tree::new(&root)).unwrap();
        assert_eq!(std::fs::read(root.join("usr/bin/same")).unwrap(), b"tool");
        assert_eq!(std::fs::read(root.join("etc/inside")).unwrap(), b"x", "an absolute link stays inside the root");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(root.join("usr/bin/tool")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o7777, 0o755);
    }

    #[test]
    fn refuses_paths_that_climb() {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(dir.path());
        assert!(tree.file(Path::new("../x"), &mut &b""[..], 0o644).is_err());
        assert!(tree.folder(Path::new("a/../../x"), 0o755).is_err());
    }

    #[test]
    fn says_what_is_no_package() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.deb");
        std::fs::write(&file, b"<html>").unwrap();
        assert!(unpack(&file, &mut Tree::new(dir.path())).unwrap_err().to_string().contains("x.deb"));
    }
}
