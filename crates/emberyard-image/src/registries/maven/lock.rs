//! Locks of jars: what each was when it was locked, `group:artifact:version[:classifier] sha256 size`, one a line. A jar
//! is the same on every architecture, and so is its lock.

use super::coordinates::Coordinates;
use crate::digest::sha256;
use crate::lock_form;
use crate::net::Wanted;

/// A jar, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// What it is.
    pub coordinates: Coordinates,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size of the file in bytes.
    pub size: u64,
}

impl Locked {
    /// What to download, from the repository at `base`.
    pub fn wanted(&self, base: &str) -> Wanted {
        Wanted { urls: vec![self.coordinates.address(base)], sha256: self.sha256.clone(), size: Some(self.size) }
    }
}

/// What a lock is for: it holds as long as the recipe asks the same.
pub fn request(jars: &[Coordinates]) -> String {
    let names: Vec<String> = jars.iter().map(ToString::to_string).collect();
    sha256(names.join("\n").as_bytes())
}

/// A lock as text.
pub fn write<'a>(request: &str, jars: impl IntoIterator<Item = &'a Locked>) -> String {
    let line = |Locked { coordinates, sha256, size }: &Locked| format!("{coordinates} {sha256} {size}");
    lock_form::write(request, jars.into_iter().map(line))
}

/// Reads a lock; none if it was made for another request or can't be read.
pub fn read(text: &str, request: &str) -> Option<Vec<Locked>> {
    lock_form::read(text, request, |line| {
        let [coordinates, sha256, size] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        let coordinates = coordinates.parse().ok()?;
        Some(Locked { coordinates, sha256: sha256.to_owned(), size: size.parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_for_the_same_request_only() {
        let jars: Vec<Coordinates> = ["a:b:1", "a:b:1:tests"].iter().map(|text| text.parse().unwrap()).collect();
        let locked: Vec<Locked> = jars
            .iter()
            .zip([1, 20])
            .map(|(jar, size)| Locked { coordinates: jar.clone(), sha256: "00".to_owned(), size })
            .collect();
        let asked = request(&jars);
        let text = write(&asked, &locked);
        assert_eq!(text, format!("request {asked}\na:b:1 00 1\na:b:1:tests 00 20\n"));
        assert_eq!(read(&text, &asked), Some(locked.clone()));
        assert_eq!(read(&text, &request(&jars[..1])), None);
        assert_eq!(read(&text.replace(" 20", ""), &asked), None);
        assert_eq!(read("", &asked), None);
        let wanted = locked[1].wanted("https://m");
        assert_eq!(wanted.urls, ["https://m/a/b/1/b-1-tests.jar"]);
        assert_eq!(wanted.size, Some(20));
    }
}
