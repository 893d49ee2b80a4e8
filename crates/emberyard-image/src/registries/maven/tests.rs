//! What a repository's answers come to, with one on the loopback.

use super::Repository;
use super::lock::Locked;
use crate::digest::{hex, sha256, sha512};
use crate::error::ImageError;
use crate::net::{Downloads, Http};
use crate::progress::Silent;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Serves these files and nothing else; answers the address.
fn serve(files: &[(&str, Vec<u8>)]) -> String {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let (status, body) = files.get(path).map_or(("404 Not Found", &[][..]), |bytes| ("200 OK", bytes));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    base
}

fn folder() -> (tempfile::TempDir, Downloads) {
    let dir = tempfile::tempdir().unwrap();
    let downloads = Downloads::open(dir.path(), Http::new()).unwrap();
    (dir, downloads)
}

#[test]
fn a_jar_is_checked_by_the_digest_beside_it() {
    let digest = hex(&sha512(b"jar")).into_bytes();
    let base = serve(&[
        ("/a/good/1/good-1.jar", b"jar".to_vec()),
        ("/a/good/1/good-1.jar.sha512", digest.clone()),
        ("/a/other/1/other-1.jar", b"changed".to_vec()),
        ("/a/other/1/other-1.jar.sha512", digest),
        ("/a/bare/1/bare-1.jar", b"jar".to_vec()),
    ]);
    let (_dir, downloads) = folder();
    let repository = Repository { base: &base, recipe: "mine" };
    let fetch = |name: &str| repository.fetch_unlocked(&downloads, &format!("a:{name}:1").parse().unwrap());
    let good = fetch("good").unwrap();
    assert_eq!((std::fs::read(&good.path).unwrap(), good.locked.sha256), (b"jar".to_vec(), sha256(b"jar")));
    assert!(matches!(fetch("other"), Err(ImageError::Checksum { .. })));
    assert!(fetch("bare").unwrap_err().to_string().contains("no digest"));
    match fetch("none").unwrap_err() {
        ImageError::NoSuchPackage { recipe, package, registry, .. } => {
            assert_eq!((recipe.as_str(), package.as_str()), ("mine", "a:none:1"));
            assert!(registry.starts_with("Maven (http://127.0.0.1:"), "{registry}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_locked_jar_is_taken_by_its_content_alone() {
    let base = serve(&[("/a/b/1/b-1.jar", b"jar".to_vec())]);
    let (_dir, downloads) = folder();
    let repository = Repository { base: &base, recipe: "mine" };
    let locked = |name: &str, content: &[u8]| Locked {
        coordinates: format!("a:{name}:1").parse().unwrap(),
        sha256: sha256(content),
        size: content.len() as u64,
    };
    let jars = repository.fetch(&downloads, &[locked("b", b"jar")], &mut Silent).unwrap();
    assert_eq!(jars[0].path, downloads.path(&sha256(b"jar")));
    let wrong = repository.fetch(&downloads, &[locked("b", b"JAR")], &mut Silent);
    assert!(matches!(wrong, Err(ImageError::Checksum { .. })), "{wrong:?}");
    let gone = repository.fetch(&downloads, &[locked("c", b"c")], &mut Silent);
    assert!(matches!(gone, Err(ImageError::NoSuchPackage { .. })), "{gone:?}");
}

#[test]
fn asking_needs_no_content() {
    let base = serve(&[("/a/b/1/b-1.jar", vec![0; 1 << 20])]);
    let repository = Repository { base: &base, recipe: "mine" };
    let ask = |text: &str| repository.ask(&Http::new(), &text.parse().unwrap());
    ask("a:b:1").unwrap();
    assert!(matches!(ask("a:b:2"), Err(ImageError::NoSuchPackage { .. })));
}

#[test]
fn digest_files_of_both_kinds() {
    assert_eq!(super::first_word(b"AB12\n"), "ab12");
    assert_eq!(super::first_word(b"ab12  a-1.jar"), "ab12");
    assert_eq!(super::first_word(b""), "");
}
