//! What packages' own scripts would have made, and images need: base folders, accounts, name services, package list.

use crate::debian::lock::Locked;
use crate::debian::unpack::MERGED;
use crate::debian::{architecture, truststore};
use crate::error::ImageError;
use crate::image::ImageUser;
use crate::tree::Tree;
use std::fmt::Write as _;
use std::path::Path;

/// The user of every image that gives it no name of its own.
pub fn user() -> ImageUser {
    named("emberyard")
}

/// The user of every image, by this name: the number is always the same.
pub fn named(name: &str) -> ImageUser {
    ImageUser { uid: 1000, gid: 1000, name: name.to_owned(), home: format!("/home/{name}") }
}

/// Folders and links that must be there before the first package.
pub fn begin(tree: &mut Tree) -> Result<(), ImageError> {
    for folder in MERGED {
        tree.folder(&Path::new("usr").join(folder), 0o755)?;
        tree.link(Path::new(folder), &Path::new("usr").join(folder))?;
    }
    for folder in
        ["dev", "proc", "sys", "run", "mnt", "opt", "root", "srv", "etc", "home/emberyard", "var/log", "var/lib"]
    {
        tree.folder(Path::new(folder), 0o755)?;
    }
    for folder in ["tmp", "var/tmp"] {
        tree.folder(Path::new(folder), 0o1777)?;
    }
    Ok(())
}

/// What comes after the last package.
pub fn complete(tree: &mut Tree) -> Result<(), ImageError> {
    accounts(&user(), tree)?;
    let texts: [(&str, &str); 5] = [
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"),
        // Places for what a pod brings.
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("etc/hostname", "emberyard\n"),
        ("etc/resolv.conf", ""),
        ("etc/timezone", "Etc/UTC\n"),
    ];
    for (path, text) in texts {
        tree.file(Path::new(path), &mut text.as_bytes(), 0o644)?;
    }
    tree.link(Path::new("etc/localtime"), Path::new("/usr/share/zoneinfo/Etc/UTC"))?;
    truststore::write(tree)
}

/// The accounts of an image, this user's among them, and its home.
pub fn accounts(user: &ImageUser, tree: &mut Tree) -> Result<(), ImageError> {
    let passwd = format!(
        "root:x:0:0:root:/root:/bin/bash\n{}:x:{}:{}::{}:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        user.name, user.uid, user.gid, user.home
    );
    let group = format!("root:x:0:\ntty:x:5:\n{}:x:{}:\nnogroup:x:65534:\n", user.name, user.gid);
    tree.file(Path::new("etc/passwd"), &mut passwd.as_bytes(), 0o644)?;
    tree.file(Path::new("etc/group"), &mut group.as_bytes(), 0o644)?;
    tree.folder(Path::new(user.home.trim_start_matches('/')), 0o755)
}

/// Where dpkg keeps its list; scanners of images read it too.
pub const STATUS: &str = "var/lib/dpkg/status";

/// The list of what is installed, in dpkg's form.
pub fn status(packages: &[Locked]) -> String {
    let mut text = String::new();
    for package in packages {
        let architecture = if package.path.ends_with("_all.deb") { "all" } else { architecture() };
        let Locked { name, version, .. } = package;
        let _ = write!(
            text,
            "Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: {version}\nDescription: {name}\n\n"
        );
    }
    text
}

/// Names in a list in dpkg's form.
pub fn installed(status: &str) -> impl Iterator<Item = &str> {
    status.lines().filter_map(|line| line.strip_prefix("Package: "))
}
