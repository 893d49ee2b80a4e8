//! A real `kubectl port-forward`.

use super::Yard;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A running `kubectl port-forward`; dropping it ends it.
pub struct Forward {
    child: Child,
    /// The ports on this side, in the order in which they were asked for.
    pub ports: Vec<u16>,
    errors: PathBuf,
}

impl Forward {
    /// Forwards to these ports of a pod, service or deployment, from ports that kubectl chooses and prints.
    pub fn start(yard: &Yard, target: &str, ports: &[u16]) -> Self {
        Self::start_with(yard, target, ports, &[])
    }

    /// The same with settings in kubectl's environment.
    pub fn start_with(yard: &Yard, target: &str, ports: &[u16], settings: &[(&str, &str)]) -> Self {
        let wanted: Vec<String> = ports.iter().map(|port| format!(":{port}")).collect();
        let mut words = vec!["port-forward", "--address=127.0.0.1", target];
        words.extend(wanted.iter().map(String::as_str));
        let errors = yard.files.join(format!("port-forward-{}", target.replace('/', "-")));
        let mut command = yard.kubectl_command(&words);
        command.envs(settings.iter().copied());
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = |line: &str| line.strip_prefix("Forwarding from 127.0.0.1:")?.split(' ').next()?.parse().ok();
        let mut forward = Self { child, ports: Vec::new(), errors };
        for _ in ports {
            let line = lines.next().and_then(Result::ok).unwrap_or_default();
            let port = port(&line);
            forward.ports.push(port.unwrap_or_else(|| panic!("kubectl printed {line:?}: {}", forward.errors())));
        }
        // kubectl says each connection; a pipe that nobody reads would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        forward
    }

    /// A connection to one of the ports.
    pub fn connect(&self, number: usize) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[number])).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// What kubectl says on standard error.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Whether kubectl has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
