//! An S3 server that is none of ours (moto, from PyPI) on the machine's loopback: journeys read from it. It runs in the
//! root file system of an image of ours, since the machine need not have a Python.

use emberyard_image::Store;
use emberyard_sandbox::{Root, RunSpec, Running, run_in_root, start_in_root};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PACKAGE: &str = "moto[server]==5.2.5";
/// Where the package is inside.
const INSIDE: &str = "/opt/moto";
/// Python, Flask and all of moto's services are read from a cold disk.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; dropping it ends it.
pub struct S3 {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _running: Running,
}

/// Starts one on a free port, with what was installed before in `scratch`.
pub fn start(images: &Path, scratch: PathBuf) -> Result<S3, String> {
    let image = Store::open(images).map_err(text)?.resolve("spark-py").map_err(text)?;
    let mut env: Vec<(String, String)> = image.config.env.into_iter().collect();
    env.push(("PYTHONPATH".to_owned(), INSIDE.to_owned()));
    // The first word of `machine.emberyard.internal` is no bucket.
    env.push(("S3_IGNORE_SUBDOMAIN_BUCKETNAME".to_owned(), "true".to_owned()));
    let spec = |script: String| RunSpec {
        root: Root::Layers { lowers: image.lowers.clone(), scratch: scratch.clone() },
        argv: ["sh", "-c", &script].map(str::to_owned).to_vec(),
        env: env.clone(),
        cwd: "/".into(),
        mounts: Vec::new(),
        host_network_files: true,
    };
    // Installed as a whole or not at all: the next run finds it by its name.
    let install = format!(
        "[ -d {INSIDE} ] || {{ python3 -m pip install --quiet --cert $SSL_CERT_FILE --target {INSIDE}.part '{PACKAGE}' \
         && mv {INSIDE}.part {INSIDE}; }}"
    );
    let mut said = Vec::new();
    let installed = run_in_root(&spec(install), &mut |line| said.push(line.to_owned())).map_err(text)?;
    if !installed.success() {
        return Err(format!("{PACKAGE} could not be installed:\n{}", said.join("\n")));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(text)?;
    let port = listener.local_addr().map_err(text)?.port();
    drop(listener);
    let log = scratch.join("upper/tmp/moto.log");
    let serve = format!("exec python3 -m moto.server -H 127.0.0.1 -p {port} > /tmp/moto.log 2>&1");
    let running = start_in_root(&spec(serve)).map_err(text)?;
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if start.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("{PACKAGE} does not answer:\n{log}"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(S3 { port, _running: running })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
