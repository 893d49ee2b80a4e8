//! Reading a journal back.

use super::{HEADER, MAGIC, VERSION, record};
use crate::journal::{Record, Revision};

/// Why a journal cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The last batch was not wholly written. It was never acknowledged: cut the file at `offset` and go on.
    #[error("the last {lost} bytes from {offset} on were never completed")]
    Torn {
        /// Where the whole part ends.
        offset: usize,
        /// Length of the rest.
        lost: usize,
    },
    /// Bytes that were acknowledged are no longer what was written.
    #[error("damaged at byte {offset}: acknowledged records follow that point")]
    Damaged {
        /// Where the damage begins.
        offset: usize,
    },
    /// A newer program wrote this.
    #[error("written in format '{}' at byte {offset}, newer than this program reads", char::from(*.version))]
    Version {
        /// Where.
        offset: usize,
        /// The version byte found.
        version: u8,
    },
}

/// Reads the records of one journal file (or snapshot); ends after the first error.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    /// Where the next frame begins.
    offset: usize,
    /// What is left of the current frame.
    payload: &'a [u8],
    last: Revision,
    ended: bool,
}

impl<'a> Decoder<'a> {
    /// Reads from the beginning; `before` is the newest revision known from what came earlier (zero if nothing).
    pub fn new(bytes: &'a [u8], before: Revision) -> Self {
        Self { bytes, offset: 0, payload: &[], last: before, ended: false }
    }

    /// The newest revision read so far: what to give to the decoder of the next file.
    pub fn last(&self) -> Revision {
        self.last
    }

    fn next_frame(&mut self) -> Option<Result<(), JournalError>> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        if let Some(version) = newer_version(rest) {
            return Some(Err(JournalError::Version { offset: self.offset, version }));
        }
        let Some((mut payload, length)) = frame(rest) else {
            return Some(Err(self.tail(rest.len())));
        };
        record::take::<8>(&mut payload)?;
        self.payload = payload;
        self.offset += length;
        Some(Ok(()))
    }

    /// Tells a torn tail from damage: a later whole frame that says more was durable than we have read proves damage.
    fn tail(&self, lost: usize) -> JournalError {
        let bytes = &self.bytes[self.offset..];
        let starts = (1..bytes.len()).filter(|&at| bytes[at..].starts_with(MAGIC));
        let damaged = starts.filter_map(|at| frame(&bytes[at..])).any(|(mut payload, _)| {
            record::take::<8>(&mut payload).is_some_and(|durable| u64::from_le_bytes(durable) > self.last.0)
        });
        if damaged {
            JournalError::Damaged { offset: self.offset }
        } else {
            JournalError::Torn { offset: self.offset, lost }
        }
    }
}

/// The payload of the whole frame at the front of `bytes`, and the frame's length.
pub(super) fn frame(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut header = bytes.get(..HEADER)?.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
    let length = usize::try_from(u32::from_le_bytes(record::take(&mut header)?)).ok()?;
    let checksum = u32::from_le_bytes(record::take(&mut header)?);
    let payload = bytes.get(HEADER..HEADER.checked_add(length)?)?;
    (length >= 8 && crc32c::crc32c(payload) == checksum).then_some((payload, HEADER + length))
}

/// The version of a newer program's frame at the front of `bytes`. A newer program never writes in our version again, so
/// a frame of ours behind it tells that the byte is damaged.
pub(super) fn newer_version(bytes: &[u8]) -> Option<u8> {
    let version = *bytes.strip_prefix(MAGIC)?.first()?;
    let newer = version > VERSION && version.is_ascii_alphanumeric();
    (newer && !(1..bytes.len()).any(|at| frame(&bytes[at..]).is_some())).then_some(version)
}

/// Where the first frame of a newer program begins, and its version; content and checksums are not looked at.
pub fn newer_frame(bytes: &[u8]) -> Option<(usize, u8)> {
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..) {
        if let Some(version) = newer_version(rest) {
            return Some((offset, version));
        }
        let mut length = rest.get(4..HEADER)?;
        offset += HEADER + usize::try_from(u32::from_le_bytes(record::take(&mut length)?)).ok()?;
    }
    None
}

impl Iterator for Decoder<'_> {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended && self.payload.is_empty() {
            match self.next_frame() {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => self.ended = true,
            }
        }
        if self.ended {
            return None;
        }
        match Record::read(&mut self.payload) {
            Some(record) => {
                self.last = record.revision;
                Some(Ok(record))
            }
            None => {
                self.ended = true;
                Some(Err(JournalError::Damaged { offset: self.offset }))
            }
        }
    }
}
