//! The tutorial as a user sees it: a real browser, keys typed, links clicked (`xtask/browser/tutorial.mjs`).

use crate::yard::{Yard, needed};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The tutorial's cell, as the demo types it.
const CONTEXT: &str = include_str!("../../src/demo/context.py");

#[test]
fn a_browser_shows_the_notebook_and_the_spark_ui() {
    let yard = Yard::up(&[]);
    let proxy = Proxy::start(&yard);
    let browser = Command::new(needed("EMBERYARD_TEST_XTASK"))
        .args(["browser", "tutorial.mjs", &yard.link, &proxy.url, CONTEXT])
        .status()
        .unwrap();
    assert!(browser.success(), "the browser's script failed, see above\n{}", yard.logs());
    drop(proxy);
    crate::nothing_left(&yard);
    yard.down();
}

/// `kubectl proxy` on a port of its own choice.
struct Proxy {
    child: Child,
    url: String,
}

impl Proxy {
    fn start(yard: &Yard) -> Self {
        let mut child = yard.kubectl_command(&["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Starting to serve on ");
        let url = format!("http://{}", address.unwrap_or_else(|| panic!("kubectl proxy says {line:?}")));
        Self { child, url }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
