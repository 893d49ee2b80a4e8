//! A yard of its own for each test.

use emberyard_sandbox::{
    ContainerSpec, ExecSpec, IdMap, Limits, Mode, MountSource, MountSpec, NodeHolder, Owner, PodSandbox,
    PodSandboxSpec, YardHolder, create_node, create_yard, start_pod, sweep,
};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder, and the mode that fits the user who runs the tests.
pub struct World {
    folder: PathBuf,
    pub mode: Mode,
}

impl World {
    pub fn new() -> Self {
        Self::at(tempfile::Builder::new().prefix("ey-yard").tempdir().unwrap().keep())
    }

    /// In a folder that is there; the mode is that of its yard, if it has one.
    pub fn at(folder: PathBuf) -> Self {
        let folder = folder.canonicalize().unwrap();
        let mode = match YardHolder::adopt(&folder).unwrap() {
            Some(yard) => yard.mode,
            None if rustix::process::geteuid().is_root() => Mode::Root,
            None => Mode::Rootless,
        };
        Self { folder, mode }
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.clone()
    }

    pub fn yard(&self) -> YardHolder {
        create_yard(&self.folder, self.mode).unwrap()
    }

    pub fn node(&self) -> NodeHolder {
        let yard = self.yard();
        let dir = self.sub("nodes/one");
        create_node(&yard, "one", &dir).unwrap()
    }

    /// A pod on a node of its own.
    pub fn pod(&self) -> PodSandbox {
        start_pod(&self.node(), &self.pod_spec("pod")).unwrap()
    }

    pub fn pod_spec(&self, name: &str) -> PodSandboxSpec {
        let ids = match self.mode {
            Mode::Root => IdMap::range(7),
            Mode::Rootless => IdMap::Single { uid: 1000, gid: 1000 },
        };
        PodSandboxSpec {
            dir: self.sub(&format!("nodes/one/pods/{name}")),
            name: name.to_owned(),
            hostname: "my-pod".to_owned(),
            sysctls: vec![],
            host_network: false,
            ids,
            limits: Limits::default(),
        }
    }

    /// A container on a tiny image: the machine's programs, read-only, on a root of its own.
    pub fn container(&self, name: &str, script: &str) -> ContainerSpec {
        let image = self.sub("image");
        for folder in ["etc", "tmp", "home/me", "usr"] {
            std::fs::create_dir_all(image.join(folder)).unwrap();
        }
        for link in ["bin", "sbin", "lib", "lib64"] {
            let _again = std::os::unix::fs::symlink(format!("usr/{link}"), image.join(link));
        }
        std::fs::write(image.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n").unwrap();
        let lower = self.sub("image-below");
        std::fs::create_dir_all(lower.join("opt")).unwrap();
        std::fs::write(lower.join("opt/file"), "from below\n").unwrap();
        ContainerSpec {
            name: name.to_owned(),
            attempt: 0,
            lowers: vec![image, lower],
            scratch: self.dir().join(format!("scratch/{name}")),
            read_only_root: false,
            mounts: vec![bind("/usr", "/usr", true)],
            shm_size: None,
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("GREETING".to_owned(), "hello".to_owned())],
            cwd: "/tmp".into(),
            uid: 1000,
            gid: 1000,
            groups: vec![],
            tty: false,
            stdin: false,
            stdin_once: false,
            log: self.dir().join(format!("log/{name}.log")),
            limits: Limits::default(),
            oom_score_adj: 0,
            unconfined: false,
        }
    }

    pub fn sub(&self, path: &str) -> PathBuf {
        let dir = self.dir().join(path);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Ends everything; how many processes had been left.
    pub fn end(self) -> usize {
        if let Ok(Some(node)) = NodeHolder::adopt(&self.dir().join("nodes/one")) {
            node.kill().unwrap();
        }
        if let Ok(Some(yard)) = YardHolder::adopt(&self.dir()) {
            yard.kill().unwrap();
        }
        let left = sweep(&self.folder).unwrap();
        emberyard_sandbox::remove_tree(&self.folder).unwrap();
        left
    }
}

/// Waits until it is so, at most ten seconds.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < until, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Text of a file, empty while there is none.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

pub fn bind(path: &str, target: &str, read_only: bool) -> MountSpec {
    let source = MountSource::Bind { path: path.into(), sub_path: None, owner: Owner::Pod };
    MountSpec { target: target.into(), source, read_only }
}

/// What a log says, without time and stream.
pub fn said(log: &Path) -> String {
    text(log).lines().map(|line| line.splitn(4, ' ').nth(3).unwrap_or_default().to_owned() + "\n").collect()
}

pub fn exec_spec(container: &str, script: &str) -> ExecSpec {
    ExecSpec {
        container: container.to_owned(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: vec![],
        tty: None,
        stdin: false,
    }
}

/// Runs a command in a container; exit code, output and error output.
pub fn exec(pod: &PodSandbox, spec: &ExecSpec) -> (i32, String, String) {
    let mut handle = pod.exec(spec).unwrap();
    let read = |fd: std::os::fd::OwnedFd| {
        let mut text = String::new();
        std::fs::File::from(fd).read_to_string(&mut text).unwrap();
        text
    };
    let out = read(handle.stdout.try_clone().unwrap());
    let err = handle.stderr.take().map(read).unwrap_or_default();
    (handle.wait(None).unwrap().unwrap(), out, err)
}

/// Runs a container to its end; exit code and output.
pub fn run(pod: &PodSandbox, spec: &ContainerSpec) -> (i32, String) {
    let state = pod.start_container(spec).unwrap();
    assert_eq!(state.notes, Vec::<String>::new());
    let ended = pod.wait(&spec.name).unwrap();
    (ended.exit_code, said(&spec.log))
}
