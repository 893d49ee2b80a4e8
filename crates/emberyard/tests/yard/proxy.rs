//! A real `kubectl proxy`.

use super::{Yard, http};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A running `kubectl proxy`; dropping it ends it.
pub struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    /// Starts one on a port that it chooses and prints.
    pub fn start(yard: &Yard) -> Self {
        let mut child = yard.kubectl_command(&["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Self { child, port: port.unwrap_or_else(|| panic!("kubectl proxy printed {line:?}")) }
    }

    /// Where it serves.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A page that must be there.
    pub fn page(&self, path: &str) -> String {
        let reply = http::call(self.port, "GET", path, "").unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
