//! A store from empty to pruned, and across an archive.

use super::{NewImage, Store};
use crate::error::{ImageError, ResolveError};
use crate::image::{ImageConfig, ImageSummary};
use crate::progress::Silent;
use crate::store::CONTENTS;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn config(version: &str) -> ImageConfig {
    ImageConfig {
        env: BTreeMap::from([("A".to_owned(), "b=c".to_owned())]),
        entrypoint: vec!["/opt/entrypoint.sh".to_owned()],
        cmd: Vec::new(),
        user: crate::debian::system::user(),
        workdir: "/home/emberyard".to_owned(),
        labels: BTreeMap::from([(format!("{CONTENTS}pyspark"), version.to_owned())]),
    }
}

/// An image of two layers; `marks` makes its top layer its own.
fn add(store: &Store, name: &str, marks: &str) -> ImageSummary {
    let held = store.hold(&mut Silent).unwrap();
    let layers = [("base", "base"), ("top", marks)].map(|(file, text)| {
        let folder = held.scratch("layer").unwrap().join("upper");
        fs::create_dir_all(folder.join("etc")).unwrap();
        fs::write(folder.join("etc").join(file), text).unwrap();
        symlink("/etc", folder.join("link")).unwrap();
        crate::tree::settle(&folder).unwrap();
        store.add_layer(&held, &folder).unwrap()
    });
    store.add_image(&held, &NewImage { name, layers: layers.to_vec(), config: &config("4.3.0") }).unwrap()
}

fn folder() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("images")).unwrap();
    (dir, store)
}

#[test]
fn resolves_names_aliases_tags_and_digests() {
    let (_dir, store) = folder();
    let error = store.resolve("kublr/spark-py:2.4.0-hadoop-2.6").unwrap_err();
    assert!(error.to_string().contains("known: none yet; build it: emberyard image build spark-py"), "{error}");
    let image = add(&store, "spark-py", "1");
    for name in ["spark-py", "spark-py:latest", "spark-py:4.3.0", "docker.io/emberyard/spark-py", &image.id.0] {
        let found = store.resolve(name).unwrap();
        assert_eq!((&found.id, found.alias), (&image.id, None), "{name}");
    }
    let found = store.resolve("kublr/spark-py:2.4.0-hadoop-2.6").unwrap();
    assert_eq!(found.lowers.len(), 2);
    assert!(found.lowers[0].join("etc/top").is_file() && found.lowers[1].join("etc/base").is_file());
    assert_eq!(found.config, config("4.3.0"));
    assert!(found.alias.unwrap().note.contains("Spark 4.3.0 runs, 2.4.0 was asked"));
    match store.resolve("nginx:1").unwrap_err() {
        ResolveError::Unknown { known, build, .. } => {
            assert!(known.contains(&"apache/spark".to_owned()) && build.contains("RECIPE.toml"));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_new_image_takes_the_name_and_prune_takes_the_rest() {
    let (_dir, store) = folder();
    let old = add(&store, "spark-py", "1");
    add(&store, "other", "2");
    let new = add(&store, "spark-py", "3");
    assert_ne!(old.id, new.id);
    assert_eq!(store.list().unwrap().len(), 2);
    assert_eq!(store.prune(&[], std::slice::from_ref(&old.id)).unwrap() >> 10, 0, "a pod still runs from the old one");
    assert_eq!(fs::read_dir(store.dir().join("layers")).unwrap().count(), 4);
    assert!(store.prune(&[], &[]).unwrap() > 0, "the old top layer goes");
    store.prune(&["other".to_owned(), "spark-py".to_owned()], std::slice::from_ref(&new.id)).unwrap();
    assert_eq!(store.list().unwrap(), [new]);
    assert_eq!(fs::read_dir(store.dir().join("layers")).unwrap().count(), 2);
    store.prune(&["spark-py".to_owned()], &[]).unwrap();
    assert_eq!(fs::read_dir(store.dir().join("layers")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(store.dir().join("blobs/sha256")).unwrap().count(), 0);
}

#[test]
fn what_an_interrupted_build_left_is_cleared_by_the_next() {
    let (_dir, store) = folder();
    let held = store.hold(&mut Silent).unwrap();
    let scratch = held.scratch("build-x").unwrap();
    fs::create_dir_all(scratch.join("work/work")).unwrap();
    std::mem::forget(held); // as if killed: the system takes the lock back when the process ends
    let again = Store::open(store.dir()).unwrap();
    assert!(again.list().unwrap().is_empty());
    assert!(scratch.exists());
}

#[test]
fn goes_out_and_comes_back_as_the_same_image() {
    let (_dir, store) = folder();
    let image = add(&store, "spark-py", "1");
    let mut archive = Vec::new();
    store.export("spark-py", &mut archive, &mut Silent).unwrap();
    let (_other_dir, other) = folder();
    let back = other.import(&mut archive.as_slice(), None, &mut Silent).unwrap();
    assert_eq!(back, image);
    assert_eq!(fs::read_link(other.resolve("spark-py").unwrap().lowers[0].join("link")).unwrap(), Path::new("/etc"));
    assert_eq!(other.import(&mut archive.as_slice(), Some("mine"), &mut Silent).unwrap().name, "mine");
}

#[test]
fn refuses_what_is_no_image_or_was_changed() {
    let (_dir, store) = folder();
    let import = |bytes: &[u8]| store.import(&mut &*bytes, None, &mut Silent).unwrap_err();
    assert!(matches!(import(b""), ImageError::NotOci { .. }));
    assert!(matches!(import(b"<html>"), ImageError::NotOci { .. }));
    add(&store, "spark-py", "1");
    let mut archive = Vec::new();
    store.export("spark-py", &mut archive, &mut Silent).unwrap();
    let place = archive.windows(9).position(|window| window == b"diff_ids\"").unwrap();
    archive[place] = b'x';
    assert!(matches!(import(&archive), ImageError::Checksum { .. }));
}
