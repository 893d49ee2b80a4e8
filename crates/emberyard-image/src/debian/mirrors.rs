//! Where Debian is fetched from: the user's say, else what the machine's apt uses, else the public mirror.

use crate::debian::RELEASE;
use std::path::Path;

/// Base addresses, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrors {
    /// Of the release and its updates.
    pub main: Vec<String>,
    /// Of security fixes.
    pub security: Vec<String>,
}

const MAIN: &str = "http://deb.debian.org/debian";
const SECURITY: &str = "http://deb.debian.org/debian-security";

impl Mirrors {
    /// `EMBERYARD_DEBIAN_MIRROR` (its security twin has `-security` behind), else apt's sources, then the public ones.
    pub fn of_this_machine() -> Self {
        if let Ok(mirror) = std::env::var("EMBERYARD_DEBIAN_MIRROR") {
            return Self::from_variable(&mirror);
        }
        let mut texts = Vec::new();
        let folder = Path::new("/etc/apt/sources.list.d");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.insert(0, "/etc/apt/sources.list".into());
        for file in files {
            if let Ok(text) = std::fs::read_to_string(&file) {
                texts.push(text);
            }
        }
        Self::from_sources(&texts)
    }

    fn from_variable(mirror: &str) -> Self {
        let mirror = mirror.trim_end_matches('/').to_owned();
        let security = vec![format!("{mirror}-security"), SECURITY.to_owned()];
        Self { main: vec![mirror], security }
    }

    /// From the texts of apt's source files, one-line and deb822 style.
    fn from_sources(texts: &[String]) -> Self {
        let mut found = Self { main: Vec::new(), security: Vec::new() };
        for text in texts {
            for line in text.lines() {
                found.add_line(line);
            }
            for stanza in text.split("\n\n") {
                found.add_stanza(stanza);
            }
        }
        found.main.push(MAIN.to_owned());
        found.security.push(SECURITY.to_owned());
        dedup(&mut found.main);
        dedup(&mut found.security);
        found
    }

    fn add_line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("deb ") else { return };
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_whitespace();
        if let (Some(uri), Some(suite)) = (words.next(), words.next()) {
            self.add(uri, suite, words.any(|word| word == "main"));
        }
    }

    fn add_stanza(&mut self, stanza: &str) {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        if field("Enabled").is_some_and(|value| value == "no")
            || field("Types").is_none_or(|t| !t.split(' ').any(|t| t == "deb"))
        {
            return;
        }
        let (Some(uris), Some(suites)) = (field("URIs"), field("Suites")) else { return };
        let main = field("Components").is_some_and(|words| words.split_whitespace().any(|word| word == "main"));
        for uri in uris.split_whitespace() {
            for suite in suites.split_whitespace() {
                self.add(uri, suite, main);
            }
        }
    }

    fn add(&mut self, uri: &str, suite: &str, main: bool) {
        let uri = uri.trim_end_matches('/').to_owned();
        if !main || !(uri.starts_with("http://") || uri.starts_with("https://")) {
            return;
        }
        if suite == RELEASE {
            self.main.push(uri);
        } else if suite == format!("{RELEASE}-security") {
            self.security.push(uri);
        }
    }
}

fn dedup(list: &mut Vec<String>) {
    let mut seen = Vec::new();
    list.retain(|item| {
        !seen.contains(item) && {
            seen.push(item.clone());
            true
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_styles_of_sources() {
        let lines = "deb [signed-by=/x arch=amd64] http://mirror.example/debian/ bookworm main contrib\n\
                     deb http://mirror.example/debian trixie main\n# deb http://no/ bookworm main\n\
                     deb cdrom:[x]/ bookworm main\n";
        let deb822 = "Types: deb\nURIs: http://a.example/debian-security\nSuites: bookworm-security\nComponents: main\n\n\
                      Enabled: no\nTypes: deb\nURIs: http://b.example/\nSuites: bookworm\nComponents: main\n";
        let mirrors = Mirrors::from_sources(&[lines.to_owned(), deb822.to_owned()]);
        assert_eq!(mirrors.main, ["http://mirror.example/debian", MAIN]);
        assert_eq!(mirrors.security, ["http://a.example/debian-security", SECURITY]);
    }

    #[test]
    fn a_machine_without_apt_uses_the_public_mirror() {
        assert_eq!(Mirrors::from_sources(&[]).main, [MAIN]);
        let own = Mirrors::from_variable("http://x/debian/");
        assert_eq!(own.main, ["http://x/debian"]);
        assert_eq!(own.security[0], "http://x/debian-security");
    }
}
