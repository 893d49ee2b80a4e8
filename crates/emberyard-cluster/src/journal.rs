//! Journal records as bytes: versioned, with length and checksum, a torn tail told from damage.
//!
//! One frame is one batch of records that became durable together:
//! magic `EYJ1` (the last character is the version), payload length (u32), crc32c of the payload (u32), payload; all
//! numbers little-endian. The payload begins with the newest revision that was durable when the batch was written, so a
//! reader knows whether a hole before it held acknowledged records (damage) or not (a torn tail).

mod decoder;
mod record;
mod salvage;

pub use decoder::{Decoder, JournalError, newer_frame};
pub use record::{Change, Key, Record, Revision};
pub use salvage::{Loss, Salvage, salvage};

const MAGIC: &[u8; 3] = b"EYJ";
const VERSION: u8 = b'1';
const HEADER: usize = 12;

/// Encodes one batch of records as one frame; `durable` is the newest revision known durable before this batch. A frame
/// without records seals what is before it: should the last batch be damaged, it cannot pass for one that was never whole.
pub fn encode(records: &[Record], durable: Revision) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + 64 + records.iter().map(|r| r.json.len() + 128).sum::<usize>());
    frame.extend_from_slice(MAGIC);
    frame.push(VERSION);
    frame.extend_from_slice(&[0; HEADER - 4]);
    frame.extend_from_slice(&durable.0.to_le_bytes());
    for record in records {
        record.write(&mut frame);
    }
    let length = u32::try_from(frame.len() - HEADER).unwrap_or(u32::MAX);
    let checksum = crc32c::crc32c(&frame[HEADER..]);
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame[8..12].copy_from_slice(&checksum.to_le_bytes());
    frame
}

#[cfg(test)]
mod tests;
