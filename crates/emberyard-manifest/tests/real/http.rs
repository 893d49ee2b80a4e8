//! A browser of few words: one request, one answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

pub fn ask(port: u16, method: &str, target: &str, body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAuthorization: token secret\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok()?;
    let all = String::from_utf8_lossy(&all);
    let (head, body) = all.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

pub fn get(port: u16, target: &str) -> Answer {
    ask(port, "GET", target, "").expect(target)
}

/// Waits until a page answers 200.
pub fn wait_for(port: u16, target: &str) -> Answer {
    let start = Instant::now();
    loop {
        match ask(port, "GET", target, "") {
            Some(answer) if answer.status == 200 => return answer,
            _ if start.elapsed() > Duration::from_mins(3) => panic!("{target} never answered"),
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Where a link on a page leads (RFC 3986, 5.2.4, for what web pages hold).
pub fn resolve(page: &str, link: &str) -> String {
    let link = link.replace("&amp;", "&");
    let (link, query) =
        link.split_once('?').map_or((link.as_str(), String::new()), |(path, query)| (path, format!("?{query}")));
    if link.starts_with('/') {
        return format!("{link}{query}");
    }
    let page = page.split('?').next().unwrap();
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => assert!(parts.len() > 1 && parts.pop().is_some(), "{link} leads out of {page}"),
            _ => parts.push(part),
        }
    }
    let slash = if link.ends_with("/.") || link.ends_with("..") || link == "." { "/" } else { "" };
    format!("{}{slash}{query}", parts.join("/"))
}
