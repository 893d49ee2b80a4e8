//! The form of all locks: `request DIGEST`, what it is for, then one package a line.

use std::fmt::{Display, Write as _};

/// A lock as text.
pub fn write(request: &str, lines: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = format!("request {request}\n");
    for line in lines {
        let _ = writeln!(text, "{line}"); // a String takes all
    }
    text
}

/// Reads a lock; none if it was made for another request or a line can't be read.
pub fn read<T>(text: &str, request: &str, line: impl FnMut(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut lines = text.lines();
    if lines.next()?.strip_prefix("request ") != Some(request) {
        return None;
    }
    lines.map(line).collect()
}
