//! Signed release files (`InRelease`): which indexes a suite has, vouched for by Debian's keys.

use crate::error::ImageError;
use pgp::composed::{CleartextSignedMessage, PublicOrSecret, SignedPublicKey};
use std::collections::BTreeMap;

/// Debian's archive keys of bookworm, as in the package debian-archive-keyring (public data).
const KEYS: [&[u8]; 3] = [
    include_bytes!("../../keys/debian-archive-bookworm-automatic.gpg"),
    include_bytes!("../../keys/debian-archive-bookworm-security-automatic.gpg"),
    include_bytes!("../../keys/debian-archive-bookworm-stable.gpg"),
];

/// What a release file promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Suite's code name, for example `bookworm-security`.
    pub codename: String,
    /// Index path below the suite -> (SHA-256 hex, size in bytes).
    pub files: BTreeMap<String, (String, u64)>,
}

/// Checks the signature and reads the release file. Only signed text is read.
pub fn verify(bytes: &[u8], url: &str) -> Result<Release, ImageError> {
    let bad = |why: String| ImageError::Signature { url: url.to_owned(), why };
    let (message, _) = CleartextSignedMessage::from_armor(bytes).map_err(|e| bad(e.to_string()))?;
    let keys = keys().map_err(|e| bad(e.to_string()))?;
    if !keys.iter().any(|key| signed_by(&message, key)) {
        return Err(bad("none of Debian's keys for this release made it".to_owned()));
    }
    Ok(read(&message.signed_text()))
}

fn signed_by(message: &CleartextSignedMessage, key: &SignedPublicKey) -> bool {
    message.verify(&key.primary_key).is_ok() || key.public_subkeys.iter().any(|sub| message.verify(&sub.key).is_ok())
}

fn keys() -> Result<Vec<SignedPublicKey>, pgp::errors::Error> {
    let mut all = Vec::new();
    for bytes in KEYS {
        for key in pgp::composed::PublicOrSecret::from_bytes_many(bytes)? {
            if let PublicOrSecret::Public(key) = key? {
                all.push(key);
            }
        }
    }
    Ok(all)
}

fn read(text: &str) -> Release {
    let mut release = Release { codename: String::new(), files: BTreeMap::new() };
    let mut in_sums = false;
    for line in text.lines() {
        if let Some(entry) = line.strip_prefix(' ').filter(|_| in_sums) {
            let words: Vec<&str> = entry.split_whitespace().collect();
            if let [sum, size, path] = words[..] {
                release.files.insert(path.to_owned(), (sum.to_ascii_lowercase(), size.parse().unwrap_or(0)));
            }
        } else if !line.starts_with(' ') {
            in_sums = line.trim_end() == "SHA256:";
            if let Some(name) = line.strip_prefix("Codename:") {
                name.trim().clone_into(&mut release.codename);
            }
        }
    }
    release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sums() {
        let release = read(
            "Codename: bookworm\r\nMD5Sum:\r\n x 1 a\r\nSHA256:\r\n AB 12 main/binary-amd64/Packages.xz\r\nX: y\r\n c 1 d\r\n",
        );
        assert_eq!(release.codename, "bookworm");
        assert_eq!(release.files.len(), 1);
        assert_eq!(release.files["main/binary-amd64/Packages.xz"], ("ab".to_owned(), 12));
    }

    #[test]
    fn the_keys_are_readable() {
        assert_eq!(keys().unwrap().len(), 3);
    }

    #[test]
    fn takes_debians_signature_and_no_changed_text() {
        let signed = include_bytes!("../../tests/data/InRelease");
        let release = verify(signed, "x").unwrap();
        assert_eq!(release.codename, "bookworm-security");
        assert!(release.files.contains_key("main/binary-amd64/Packages.xz"));
        let mut changed = signed.to_vec();
        let place = changed.windows(9).position(|window| window == b"Packages\n").unwrap();
        changed[place] = b'p';
        assert!(matches!(verify(&changed, "x"), Err(ImageError::Signature { .. })));
    }

    #[test]
    fn refuses_unsigned_text() {
        let error = verify(b"Codename: bookworm\n", "http://x/InRelease").unwrap_err();
        assert!(matches!(error, ImageError::Signature { .. }), "{error}");
    }
}
