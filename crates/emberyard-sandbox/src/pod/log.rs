//! A container's log file: lines in the form that Kubernetes' container runtimes write, bounded in size.

use emberyard_model::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file of this size is renamed to `NAME.1`, replacing the one before.
pub const ROTATE_AT: u64 = 10 << 20;
/// A line is cut into parts of at most this many bytes.
pub const LONGEST_PART: usize = 16 << 10;

/// Which stream a line came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The log file of one attempt.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    size: u64,
    rotate_at: u64,
}

impl Log {
    /// Opens or goes on with a log.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, rotate_at: ROTATE_AT })
    }

    /// Writes whole entries, rotating before if they would make the file too big.
    fn write(&mut self, entries: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + entries.len() as u64 > self.rotate_at {
            let mut older = self.path.clone().into_os_string();
            older.push(".1");
            std::fs::rename(&self.path, older)?;
            self.file = append(&self.path)?;
            self.size = 0;
        }
        self.file.write_all(entries)?;
        self.size += entries.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Cuts one stream into log lines.
#[derive(Debug)]
pub struct Lines {
    source: Source,
    begun: Vec<u8>,
}

impl Lines {
    /// For a stream that begins.
    pub fn new(source: Source) -> Self {
        Self { source, begun: Vec::new() }
    }

    /// Logs what came. An error is a full or broken disk; the bytes are then lost and the container goes on.
    pub fn push(&mut self, log: &mut Log, bytes: &[u8], now: Timestamp) -> io::Result<()> {
        let mut entries = Vec::with_capacity(bytes.len() + 128);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (mut text, whole) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            while self.begun.len() + text.len() > LONGEST_PART {
                let (now_part, later) = text.split_at(LONGEST_PART - self.begun.len());
                self.begun.extend_from_slice(now_part);
                self.entry(&mut entries, 'P', now);
                text = later;
            }
            self.begun.extend_from_slice(text);
            if whole {
                self.entry(&mut entries, 'F', now);
            }
        }
        log.write(&entries)
    }

    /// Logs an unfinished last line.
    pub fn end(&mut self, log: &mut Log, now: Timestamp) -> io::Result<()> {
        if self.begun.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::new();
        self.entry(&mut entries, 'P', now);
        log.write(&entries)
    }

    fn entry(&mut self, entries: &mut Vec<u8>, tag: char, now: Timestamp) {
        entries.extend_from_slice(format!("{} {} {tag} ", now.rfc3339_micro(), self.source.name()).as_bytes());
        entries.append(&mut self.begun);
        entries.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_769_860_800_123_456);

    #[test]
    fn lines_parts_and_rests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/0.log");
        let mut log = Log::open(&path).unwrap();
        let mut lines = Lines::new(Source::Stdout);
        lines.push(&mut log, b"one\ntw", NOW).unwrap();
        lines.push(&mut log, b"o\n\nrest", NOW).unwrap();
        Lines::new(Source::Stderr).push(&mut log, b"bad\n", NOW).unwrap();
        lines.end(&mut log, NOW).unwrap();
        let stamp = "2026-01-31T12:00:00.123456Z";
        let expected = format!(
            "{stamp} stdout F one\n{stamp} stdout F two\n{stamp} stdout F \n{stamp} stderr F bad\n{stamp} stdout P rest\n"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_long_line_comes_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let mut log = Log::open(&path).unwrap();
        let mut line = vec![b'x'; 2 * LONGEST_PART + 5];
        line.push(b'\n');
        let mut lines = Lines::new(Source::Stdout);
        for chunk in line.chunks(1000) {
            lines.push(&mut log, chunk, NOW).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let parts: Vec<(&str, usize)> = text
            .lines()
            .map(|entry| entry.splitn(4, ' ').collect::<Vec<_>>())
            .map(|fields| (fields[2], fields[3].len()))
            .collect();
        assert_eq!(parts, [("P", LONGEST_PART), ("P", LONGEST_PART), ("F", 5)]);
    }

    #[test]
    fn the_disk_is_not_filled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let mut log = Log { rotate_at: 10_000, ..Log::open(&path).unwrap() };
        let mut lines = Lines::new(Source::Stdout);
        for number in 0..2000 {
            lines.push(&mut log, format!("line {number}\n").as_bytes(), NOW).unwrap();
        }
        let sizes: Vec<u64> =
            ["0.log", "0.log.1"].map(|name| folder.path().join(name).metadata().unwrap().len()).into();
        assert!(sizes.iter().all(|size| *size <= 10_000), "{sizes:?}");
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("line 1999\n"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
