//! The tutorial as a user sees it: a real browser, keys typed, links clicked (`xtask/browser/tutorial.mjs`).

use crate::CONTEXT;
use crate::yard::proxy::Proxy;
use crate::yard::{Yard, needed, text};
use std::process::Command;

#[test]
fn a_browser_shows_the_notebook_and_the_spark_ui() {
    let yard = Yard::up(&[]);
    let url = yard.emberyard(&["notebook", "url", "my-pyspark-notebook"]);
    assert!(url.status.success(), "{}", text(&url));
    let link = String::from_utf8_lossy(&url.stdout).trim().to_owned();
    let proxy = Proxy::start(&yard);
    let browser = Command::new(needed("EMBERYARD_TEST_XTASK"))
        .args(["browser", "tutorial.mjs", &link, &proxy.url(), CONTEXT])
        .status()
        .unwrap();
    assert!(browser.success(), "the browser's script failed, see above\n{}", yard.logs());
    drop(proxy);
    crate::nothing_left(&yard);
    yard.down();
}
