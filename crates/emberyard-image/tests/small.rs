//! A small image from real packages of a real mirror, and builds that must fail without a trace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use emberyard_image::{BuildOptions, ImageError, Progress, Recipe, Stage, Store, build};
use std::path::Path;
use std::process::ExitCode;

#[derive(Default)]
struct Noted {
    stages: Vec<String>,
    notes: Vec<String>,
}

impl Progress for Noted {
    fn stage(&mut self, stage: &Stage) {
        assert!(stage.step <= stage.of, "{stage:?}");
        self.stages.push(stage.title.clone());
    }
    fn bytes(&mut self, done: u64, total: Option<u64>) {
        assert!(total.is_none_or(|total| done <= total));
    }
    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

fn run(dir: &Path, recipe: &str) -> (Result<emberyard_image::ImageSummary, ImageError>, Noted) {
    let store = Store::open(&dir.join("images")).expect("store");
    let options = BuildOptions { cache_dir: dir.join("cache"), again: false, newest: false };
    let recipe = Recipe::parse(recipe, "test").expect("recipe");
    let mut noted = Noted::default();
    (build(&store, &recipe, &mut noted, &options), noted)
}

fn nothing_left(dir: &Path) {
    let left: Vec<_> = std::fs::read_dir(dir.join("images/tmp")).expect("tmp").collect();
    assert!(left.is_empty(), "{left:?}");
}

const SMALL: &str = "name = 'small'\ndebian = ['dash', 'libc-bin', 'mawk']\nwithout = ['debconf', 'dpkg', 'debianutils']\n\
    links = { '/usr/bin/awk' = 'mawk' }\n\
    finish = [{ title = 'trying', run = ['/usr/bin/awk', 'BEGIN { print \"tried\" > \"/opt/tried\" }'] }]\n";

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(code) = emberyard_sandbox::dispatch(&args) {
        return code;
    }
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let (built, _) = run(dir, SMALL);
    let image = match built {
        Err(ImageError::Unreachable { url, why }) => {
            println!("skipped: no Debian mirror can be reached from here ({url}: {why})");
            return ExitCode::SUCCESS;
        }
        built => built.expect("build"),
    };
    let store = Store::open(&dir.join("images")).expect("store");
    let layer = &store.resolve("small").expect("resolve").lowers[0];
    assert_eq!(std::fs::read_to_string(layer.join("opt/tried")).expect("finished"), "tried\n");
    assert!(layer.join("etc/ld.so.cache").is_file() && layer.join("usr/share/doc/mawk/copyright").is_file());
    assert!(!layer.join("usr/share/man").exists());

    let (again, noted) = run(dir, SMALL);
    assert_eq!((again.expect("again"), noted.stages.len()), (image.clone(), 0), "what is there is not built again");

    let missing = "name = 'm'\nfrom = 'small'\ndebian = ['grep', 'no-such-package-here']\n";
    match run(dir, missing).0.expect_err("missing") {
        ImageError::NoSuchPackage { package, why, .. } => {
            assert!(package == "no-such-package-here" && why.contains("bookworm"), "{package}: {why}");
        }
        other => panic!("{other}"),
    }
    let failing = "name = 'f'\nfrom = 'small'\nfinish = [{ title = 'a step', run = ['/bin/sh', '-c', 'echo because; exit 3'] }]\n";
    let error = run(dir, failing).0.expect_err("failing").to_string();
    assert!(error.contains("a step failed") && error.contains("exit code 3") && error.contains("because"), "{error}");
    let nowhere = "name = 'n'\nfrom = 'no-such-image'\n";
    assert!(matches!(run(dir, nowhere).0.expect_err("base"), ImageError::Recipe { .. }));
    assert_eq!(store.list().expect("list"), [image], "failed builds leave no image");
    nothing_left(dir);

    let on_top = "name = 'top'\nfrom = 'small'\ndebian = ['hostname']\nfiles = [{ path = '/bin/own', text = 'own' }]\n\
        env = { A = 'b' }\n";
    let (top, _) = run(dir, on_top);
    let top = top.expect("a layer on top");
    assert_eq!(top.layers.len(), 2);
    let found = store.resolve("top").expect("resolve");
    assert!(found.lowers[0].join("usr/bin/hostname").is_file() && found.config.env["A"] == "b");
    assert!(found.lowers[0].join("usr/bin/own").is_file(), "links of the image below hold for files put on top");
    nothing_left(dir);

    let jars = "name = 'jars'\nfrom = 'small'\nuser = 'worker'\nmaven_into = '/opt/jars'\n\
        maven = ['org.apache.yetus:audience-annotations:0.12.0']\nmaven_shown = []\n";
    match run(dir, jars).0 {
        Err(ImageError::Unreachable { url, why }) => {
            println!("left out: no Maven repository can be reached from here ({url}: {why})");
        }
        built => {
            assert_eq!(
                built.expect("jars").contents,
                top.contents.into_iter().filter(|(name, _)| name != "hostname").collect()
            );
            let found = store.resolve("jars").expect("resolve");
            assert!(found.lowers[0].join("opt/jars/audience-annotations-0.12.0.jar").is_file());
            assert_eq!((found.config.user.uid, found.config.user.home.as_str()), (1000, "/home/worker"));
        }
    }
    nothing_left(dir);
    println!("ok");
    ExitCode::SUCCESS
}
