//! A yard with one node, made of this program's roles.

use crate::roles::now;
use emberyard_api::kubeconfig;
use emberyard_api::pki::{self, Names};
use emberyard_node::net::address::NodeNumber;
use emberyard_sandbox::{
    Child, Command, Mode, NodeHolder, Place, YardHolder, create_node, create_yard, remove_tree, spawn_in,
};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub const NODE: &str = "node-1";
const SERVER: &str = "https://10.41.0.1:6443";

pub struct Yard {
    dir: PathBuf,
    holder: YardHolder,
    node: NodeHolder,
    children: Vec<Child>,
}

impl Yard {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("ey-agent").tempdir().unwrap().keep();
        let mode = if rustix::process::geteuid().is_root() { Mode::Root } else { Mode::Rootless };
        let number = NodeNumber::new(1).unwrap();
        let own = dir.join("nodes").join(NODE);
        std::fs::create_dir_all(&own).unwrap();
        std::fs::create_dir_all(dir.join("run")).unwrap();
        crate::image::import(&dir.join("images"));
        let pki = pki::ensure(&dir.join("pki"), &Names::default(), now()).unwrap();
        let authority = &pki.authority;
        let client = pki::issue_client(authority, &format!("system:node:{NODE}"), &["system:nodes"], now()).unwrap();
        let network = pki::issue_client(authority, "emberyard-network", &["emberyard:networks"], now()).unwrap();
        let serving = pki::issue_serving(authority, NODE, &[IpAddr::V4(number.node_ip())], now()).unwrap();
        let ca = authority.certificate();
        for (name, text) in [
            ("kubeconfig", kubeconfig::render(NODE, SERVER, ca, &client)),
            ("network-kubeconfig", kubeconfig::render(NODE, SERVER, ca, &network)),
            ("serving.crt", serving.certificate.clone()),
            ("serving.key", serving.key.clone()),
            ("ca.crt", ca.to_owned()),
        ] {
            std::fs::write(own.join(name), text).unwrap();
        }
        std::fs::write(dir.join("admin"), kubeconfig::render("admin", SERVER, ca, &pki.admin)).unwrap();
        let holder = create_yard(&dir, mode).unwrap();
        let node = create_node(&holder, NODE, &own).unwrap();
        let mut made = Self { dir, holder, node, children: Vec::new() };
        made.finish("yard", &["role-setup"]);
        let pid = made.node.process.pid.to_string();
        made.finish("yard", &["role-attach", "1", &pid]);
        let folder = made.dir.display().to_string();
        let api = made.begin("yard", &["role-api", &folder]);
        made.children.push(api);
        made.start_agent();
        made
    }

    fn begin(&self, place: &str, words: &[&str]) -> Child {
        let place = if place == "node" { Place::from(&self.node) } else { Place::from(&self.holder) };
        let mut argv: Vec<OsString> = vec!["/proc/self/exe".into()];
        argv.extend(words.iter().map(OsString::from));
        let command = Command { argv, env: Vec::new(), fds: Vec::new(), log: self.log(), cwd: self.dir.clone() };
        spawn_in(&place, command).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Runs a role to its end.
    fn finish(&self, place: &str, words: &[&str]) {
        let code = self.begin(place, words).wait(Some(Duration::from_secs(100))).unwrap();
        assert_eq!(code, Some(0), "{words:?}:\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
    }

    fn start_agent(&mut self) {
        let folder = self.dir.display().to_string();
        let agent = self.begin("node", &["role-agent", &folder, NODE, "1"]);
        self.children.push(agent);
    }

    /// Plays a scene inside the yard.
    pub fn scene(&self, name: &str) {
        let folder = self.dir.display().to_string();
        self.finish("yard", &["role-scene", &folder, name]);
    }

    /// kill -9 of the node; its agent lives on.
    pub fn kill_node(&self) {
        self.node.process.kill().unwrap();
    }

    /// kill -9 of the agent, and a new one.
    pub fn replace_agent(&mut self) {
        let agent = self.children.pop().unwrap();
        agent.process.kill().unwrap();
        let _ = agent.wait(Some(Duration::from_secs(5)));
        self.start_agent();
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        for child in &self.children {
            let _ = child.process.kill();
            let _ = child.wait(Some(Duration::from_secs(5)));
        }
        let _ = self.node.kill();
        let _ = self.holder.kill();
        let _ = remove_tree(&self.dir);
    }
}
