//! Reading what is left of a damaged journal file: every whole frame counts, wherever it stands.

use super::decoder::{JournalError, frame, newer_version};
use super::{HEADER, Key, MAGIC, Record, Revision, record};

/// What a file still holds, and what it no longer does.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// The records of all whole frames, in the file's order.
    pub records: Vec<Record>,
    /// Stretches without a whole frame.
    pub losses: Vec<Loss>,
    /// The newest revision that a whole frame calls durable.
    pub durable: Revision,
}

/// Bytes that are no longer what was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where they begin.
    pub offset: usize,
    /// How many there are.
    pub length: usize,
    /// The last revision before them that can be read; zero if there is none.
    pub after: Revision,
    /// The first revision behind them that can be read.
    pub before: Option<Revision>,
    /// What they seem to have been about, as far as their own damage lets one tell.
    pub keys: Vec<Key>,
}

/// Reads a file to its end, over all damage; `after` is the newest revision known from the files before it.
///
/// # Errors
/// [`JournalError::Version`]: a newer program wrote it, and what looks like damage may be its format.
pub fn salvage(bytes: &[u8], after: Revision) -> Result<Salvage, JournalError> {
    let mut found = Salvage { durable: after, ..Salvage::default() };
    let (mut offset, mut last) = (0, after);
    while offset < bytes.len() {
        if let Some(version) = newer_version(&bytes[offset..]) {
            return Err(JournalError::Version { offset, version });
        }
        if let Some((records, length)) = whole(&bytes[offset..], &mut found.durable) {
            if let (Some(first), Some(loss)) = (records.first(), found.losses.last_mut()) {
                loss.before.get_or_insert(first.revision);
            }
            last = records.last().map_or(last, |record| record.revision);
            found.records.extend(records);
            offset += length;
            continue;
        }
        let rest = &bytes[offset..];
        let next = (1..rest.len()).find(|&at| whole(&rest[at..], &mut Revision(0)).is_some());
        let length = next.unwrap_or(rest.len());
        found.losses.push(Loss { offset, length, after: last, before: None, keys: guess(&rest[..length]) });
        offset += length;
    }
    Ok(found)
}

/// The records of the whole frame at the front of `bytes`, and its length.
fn whole(bytes: &[u8], newest: &mut Revision) -> Option<(Vec<Record>, usize)> {
    let (mut payload, length) = frame(bytes)?;
    let durable = Revision(u64::from_le_bytes(record::take(&mut payload)?));
    let mut records = Vec::new();
    while !payload.is_empty() {
        records.push(Record::read(&mut payload)?);
    }
    *newest = (*newest).max(durable);
    Some((records, length))
}

/// Objects that the damaged frames in `bytes` name, read without their checksum: for a person's eyes only.
fn guess(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    // The first frame's own beginning may be what is damaged.
    let starts = (0..bytes.len()).filter(|&at| at == 0 || bytes[at..].starts_with(MAGIC));
    for start in starts {
        let Some(mut payload) = bytes.get(start + HEADER + 8..) else { continue };
        while let Some(record) = Record::read(&mut payload) {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
            let key = record.key;
            if !key.resource.is_empty() && [&key.resource, &key.namespace, &key.name].iter().all(|text| plain(text)) {
                keys.push(key);
            }
        }
    }
    keys.dedup();
    keys
}
