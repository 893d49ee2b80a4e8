//! What can't work is refused with one message that names the cure, with the right exit code, and before anything is
//! changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_emberyard");

/// A home in which nothing may change.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.files()).unwrap();
        home
    }

    /// The folder for notebooks.
    fn files(&self) -> PathBuf {
        self.0.path().join("files")
    }

    /// The state folder, which does not exist.
    fn dir(&self) -> PathBuf {
        self.0.path().join("yard")
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.files().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, program: &[&str]) -> Command {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .current_dir(self.files())
            .env("HOME", self.0.path())
            .env("EMBERYARD_DIR", self.dir());
        command.env_remove("XDG_DATA_HOME").env_remove("EMBERYARD_IMAGES").stdin(std::process::Stdio::null());
        command
    }

    /// Runs the program, which must refuse.
    fn refused(&self, words: &[&str], code: i32, cures: &[&str]) {
        let output = self.command(&[&[PROGRAM], words].concat()).output().unwrap();
        self.says(&output, words, code, cures);
    }

    /// The refusal is of this code, names the cures, and nothing was changed.
    fn says(&self, output: &Output, words: &[&str], code: i32, cures: &[&str]) {
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
        for cure in cures {
            assert!(text.contains(cure), "{words:?}: {cure:?} is not said: {text}");
        }
        assert!(!text.contains("panicked"), "{words:?}: {text}");
        assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
        assert!(!self.dir().exists(), "{words:?}: the state folder was made");
        let left = std::fs::read_dir(self.0.path()).unwrap().flatten().map(|entry| entry.file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["files"], "{words:?}");
    }
}

#[test]
fn wrong_words_are_wrong_usage() {
    let home = Home::new();
    home.refused(&["up", "--nodez", "2..4"], 2, &["--nodez", "--nodes"]);
    home.refused(&["upp"], 2, &["upp", "up"]);
    home.refused(&["status", "-o", "xml"], 2, &["xml", "table, wide, json or yaml"]);
    home.refused(&["up", "--port", "0"], 2, &["1..=65535"]);
    home.refused(&["up", "--allow-host", "70000"], 2, &["70000"]);
    home.refused(&["up", "--port", "7000", "--api-port", "7000"], 2, &["7000", "--api-port"]);
    home.refused(&["up", "--mount", "data:/data"], 2, &["HOST:PATH", "absolute"]);
    home.refused(&["up", "--notebook", "1st"], 2, &["1st", "digit"]);
    home.refused(&["up", "--notebook", &"n".repeat(60)], 2, &["possible"]);
    home.refused(&["up", "--fleet", "a.yaml", "--nodes", "1..2"], 2, &["--fleet", "--nodes"]);
}

#[test]
fn an_impossible_fleet_is_wrong_usage() {
    let home = Home::new();
    let nodes: [(&str, &str); 6] = [
        ("0..0", "1 or more"),
        ("5..2", "turn them round"),
        ("1..1000", "at most 200"),
        ("two", "2..4"),
        ("-1..2", "2..4"),
        ("3", "2..4"),
    ];
    for (text, cure) in nodes {
        home.refused(&["up", &format!("--nodes={text}")], 2, &[cure]);
    }
    let shapes = [
        ("cpu=0,memory=1Gi", "at least"),
        ("cpu=-4", "at least"),
        ("cpu=9E", "ask for less"),
        ("cpu=1e999", "cpu=4,memory=8Gi"),
        ("memory=1Ei", "ask for less"),
        ("memory=1", "at least"),
        ("gpu=1", "cpu=4,memory=8Gi"),
        ("four", "cpu=4,memory=8Gi"),
    ];
    for (text, cure) in shapes {
        home.refused(&["up", "--node-shape", text], 2, &[cure]);
    }
    let files = [
        ("min: 1\nmax: 2\nspotty: true\n", "spotty"),
        ("min: 1\nmax: 2\nshape: {cpu: 2, memory: 4Gi, disk: 1}\n", "disk"),
        ("min: many\nmax: 2\n", "min"),
        ("min: 3\nmax: 2\n", "turn them round"),
        ("min: 1\nmax: 2\nbootDelaySeconds: 86400\n", "240"),
        ("- 1\n- 2\n", "fleet file"),
        ("min: [", "fleet file"),
    ];
    for (text, cure) in files {
        let file = home.file("fleet.yaml", text);
        home.refused(&["up", "--fleet", &file], 2, &[cure]);
    }
}

#[test]
fn a_file_or_folder_that_can_not_be_used_is_named() {
    let home = Home::new();
    home.refused(&["up", "--fleet", "nowhere.yaml"], 1, &["nowhere.yaml", "No such file"]);
    let folder = home.files().display().to_string();
    home.refused(&["up", "--fleet", &folder], 1, &[&folder]);
    home.refused(&["up", "nowhere"], 1, &["nowhere", "No such file"]);
    let file = home.file("a.csv", "1");
    home.refused(&["up", &file], 1, &["a.csv", "Not a directory"]);
    home.refused(&["up", "--mount", "/nowhere:/data"], 1, &["/nowhere", "No such file"]);
    home.refused(&["up", "/etc"], 2, &["/etc"]);
    home.refused(&["--dir", &format!("{file}/yard"), "up"], 1, &["a.csv", "--dir"]);
    let long = format!("{}/{}", home.files().display(), "long/".repeat(1000));
    home.refused(&["--dir", &long, "up"], 1, &["too long", "--dir"]);
    home.refused(&["image", "build", "nothing.toml"], 1, &["nothing.toml", "pyspark-notebook"]);
    home.refused(&["status"], 1, &["emberyard up"]);
}

#[test]
fn a_port_in_use_names_its_holder() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let holder = format!("process {}", std::process::id());
    for switch in ["--port", "--api-port"] {
        home.refused(&["up", switch, &port], 1, &[&port, &holder, switch]);
    }
}

/// A command line before the program that gives it mounts or a network of its own, after a preparation by the shell. Where
/// the tests are not run by root that takes root of a user namespace; the program is its user again, in one of its own.
fn unshared(kind: &str, preparation: &str) -> Vec<String> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let (root, back) = if user.is_root() {
        (vec![], String::new())
    } else {
        let back = format!("unshare --user --map-user={} --map-group={} -- ", user.as_raw(), group.as_raw());
        (vec!["--user", "--map-root-user"], back)
    };
    let script = format!("{preparation} && exec {back}\"$@\"");
    let words = [&["unshare", kind], &root[..], &["--", "sh", "-c", &script, "sh", PROGRAM]].concat();
    words.into_iter().map(str::to_owned).collect()
}

fn as_words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn a_file_system_without_what_a_yard_needs_is_refused() {
    let home = Home::new();
    std::fs::create_dir(home.files().join("disk")).unwrap();
    let table = [
        ("mount -t tmpfs -o noexec none disk", "disk", "noexec"),
        ("mount -t tmpfs -o ro none disk", "disk", "Read-only"),
        (
            "mount -t tmpfs none disk && mkdir disk/a disk/b disk/c disk/d && \
             mount -t overlay -o lowerdir=disk/a,upperdir=disk/b,workdir=disk/c none disk/d",
            "disk/d",
            "overlay file system",
        ),
    ];
    for (mount, place, cure) in table {
        let yard = home.files().join(place).join("yard").display().to_string();
        let program = unshared("--mount", mount);
        let words = [&as_words(&program)[..], &["--dir", &yard, "up", "--notebook", "none", "--detach"]].concat();
        let output = home.command(&words).output().unwrap();
        home.says(&output, &[mount], 1, &[cure, "--dir"]);
    }
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let home = Home::new();
    let program = home.files().join("emberyard");
    std::fs::copy(PROGRAM, &program).unwrap();
    for path in [home.0.path(), &home.files()] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let closed = home.files().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let other = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--", program.to_str().unwrap()];
    let refused = |words: &[&str], cures: &[&str]| {
        let output = home.command(&[&other[..], words].concat()).output().unwrap();
        home.says(&output, words, 1, cures);
    };
    // Its own state folder would be below a folder of root.
    refused(&["up"], &["Permission denied", "--dir", "owned by you"]);
    refused(&["up", closed.to_str().unwrap()], &["closed", "Permission denied"]);
    let fleet = home.file("fleet.yaml", "min: 1\nmax: 2\n");
    std::fs::set_permissions(&fleet, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    refused(&["up", "--fleet", &fleet], &["fleet.yaml", "Permission denied"]);
}

#[test]
fn a_first_start_without_network_says_so() {
    let home = Home::new();
    let program = unshared("--net", "true");
    let output = home.command(&[&as_words(&program)[..], &["up", "--detach"]].concat()).output().unwrap();
    home.says(&output, &["up"], 1, &["HTTPS_PROXY", "run it again"]);
}

#[test]
fn a_recipe_with_a_package_that_does_not_exist_names_it() {
    let home = Home::new();
    let name = "emberyard-has-no-such-package";
    let recipe = home.file("mine.toml", &format!("name = \"mine\"\nfrom = \"spark-py\"\npypi = [\"{name}\"]\n"));
    home.refused(&["image", "build", &recipe], 1, &[name, "mine"]);
    let jar = format!("org.apache.hadoop:{name}:1.0");
    let recipe = home.file("mine.toml", &format!("name = \"mine\"\nfrom = \"debian-base\"\nmaven = [\"{jar}\"]\n"));
    home.refused(&["image", "build", &recipe], 1, &[&jar, "mine", "Maven"]);
    let recipe = home.file("mine.toml", "name = \"mine\"\nfrom = \"spark-py\"\npakages = []\n");
    home.refused(&["image", "build", &recipe], 1, &["pakages"]);
}
