//! Frames around what one commit appends, so that a torn end can be told from damage.
//!
//! At most one batch is ever unsynced. So a batch that does not check out is a torn end when no whole batch follows
//! it, and damage when one does: that later one was only begun after this one had been synced.

/// First bytes of a batch. 0xFF never occurs in UTF-8, so no stored text can look like one.
const MAGIC: [u8; 4] = [0xFF, b'E', b'Y', 0x01];
/// Magic, last revision (8), payload length (4), checksum of all before (4), checksum of the payload (4); little endian.
const HEADER: usize = 24;

/// One commit: encoded records and the revision of the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Store revision after the batch.
    pub revision: u64,
    /// Record frames, one after the other.
    pub records: Vec<u8>,
}

/// Appends a batch's frame to `out`.
pub fn encode(revision: u64, records: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&revision.to_le_bytes());
    out.extend_from_slice(&u32::try_from(records.len()).unwrap_or(u32::MAX).to_le_bytes());
    let sum = crc32c::crc32c(&out[begin..]);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(records).to_le_bytes());
    out.extend_from_slice(records);
}

/// What a segment holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its whole batches, in order.
    pub batches: Vec<Batch>,
    /// Where the last whole batch ends, in bytes.
    pub good: usize,
    /// Where a batch is that does not check out although whole ones follow.
    pub damage: Option<usize>,
}

/// Reads a segment from its beginning to its end, or to the first batch that does not check out.
pub fn decode(bytes: &[u8]) -> Segment {
    let mut batches = Vec::new();
    let mut good = 0;
    while good < bytes.len() {
        let Some((batch, length)) = one(&bytes[good..]) else { break };
        batches.push(batch);
        good += length;
    }
    let mut rest = bytes.get(good + 1..).unwrap_or_default();
    let mut damage = None;
    while let Some(at) = rest.windows(MAGIC.len()).position(|w| w == MAGIC) {
        rest = &rest[at..];
        if one(rest).is_some() {
            damage = Some(good);
            break;
        }
        rest = &rest[1..];
    }
    Segment { batches, good, damage }
}

fn one(bytes: &[u8]) -> Option<(Batch, usize)> {
    let header = bytes.get(..HEADER)?;
    let number = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
    if header[..4] != MAGIC || crc32c::crc32c(&header[..16]) != number(16)? {
        return None;
    }
    let revision = u64::from_le_bytes(header[4..12].try_into().ok()?);
    let end = HEADER + usize::try_from(number(12)?).ok()?;
    let records = bytes.get(HEADER..end)?;
    (crc32c::crc32c(records) == number(20)?).then(|| (Batch { revision, records: records.to_vec() }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        encode(1, b"one", &mut bytes);
        encode(3, b"two and three", &mut bytes);
        let last = bytes.len();
        encode(4, b"four", &mut bytes);
        (bytes, last)
    }

    #[test]
    fn every_cut_is_a_torn_end() {
        let (bytes, _) = three();
        for cut in 0..=bytes.len() {
            let segment = decode(&bytes[..cut]);
            assert!(segment.damage.is_none(), "cut at {cut}");
            assert!(segment.good <= cut);
        }
        assert_eq!(decode(&bytes).batches.len(), 3);
    }

    #[test]
    fn a_changed_byte_is_damage_unless_in_the_last_batch() {
        let (bytes, last) = three();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let segment = decode(&changed);
            assert_eq!(segment.damage.is_some(), at < last, "changed at {at}");
            assert!(segment.batches.len() < 3);
        }
    }

    #[test]
    fn zeros_at_the_end_are_torn() {
        let (mut bytes, _) = three();
        let good = bytes.len();
        bytes.extend([0; 5000]);
        assert_eq!(decode(&bytes), Segment { good, damage: None, ..decode(&bytes) });
    }
}
