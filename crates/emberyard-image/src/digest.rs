//! SHA-256 and SHA-512 of what was fetched or stored.

use ring::digest::{Context, SHA256, SHA512};
use std::io::{Read, Write};

/// SHA-256 of bytes, as 64 lower-case hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&SHA256, bytes).as_ref())
}

/// SHA-256 of all that `reader` gives.
pub fn sha256_of(reader: &mut dyn Read) -> std::io::Result<String> {
    let mut sum = Summing::new(std::io::sink());
    std::io::copy(reader, &mut sum)?;
    Ok(sum.finish().0)
}

/// SHA-512 of bytes, raw.
pub fn sha512(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&SHA512, bytes).as_ref().to_vec()
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// A writer that sums what passes through it.
pub struct Summing<W> {
    inner: W,
    context: Context,
    bytes: u64,
}

impl<W: Write> Summing<W> {
    /// Sums what goes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, context: Context::new(&SHA256), bytes: 0 }
    }

    /// The SHA-256 and the number of bytes that passed.
    pub fn finish(self) -> (String, u64) {
        (hex(self.context.finish().as_ref()), self.bytes)
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.context.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(super::sha256(b""), empty);
        assert_eq!(super::sha256_of(&mut &b""[..]).unwrap(), empty);
    }
}
