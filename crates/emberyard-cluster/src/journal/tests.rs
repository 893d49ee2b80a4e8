use super::*;
use bytes::Bytes;
use emberyard_model::Timestamp;

fn record(revision: u64) -> Record {
    Record {
        revision: Revision(revision),
        time: Timestamp::from_seconds(1_700_000_000),
        change: if revision.is_multiple_of(2) { Change::Put } else { Change::Delete },
        key: Key::new("pods", "default", "a"),
        json: Bytes::from(format!("{{\"r\":{revision}}}")),
    }
}

fn read(bytes: &[u8]) -> (Vec<Record>, Option<JournalError>) {
    let mut records = Vec::new();
    for item in Decoder::new(bytes, Revision(0)) {
        match item {
            Ok(record) => records.push(record),
            Err(error) => return (records, Some(error)),
        }
    }
    (records, None)
}

#[test]
fn the_format_does_not_change_unnoticed() {
    insta::assert_snapshot!(format!("{:02x?}", encode(&[record(2)], Revision(1))));
}

#[test]
fn every_cut_leaves_whole_batches() {
    let frames = [encode(&[record(1), record(2)], Revision(0)), encode(&[record(3)], Revision(2))];
    let all = frames.concat();
    assert_eq!(read(&all).0.len(), 3);
    for cut in 0..all.len() {
        let (records, error) = read(&all[..cut]);
        let whole = if cut >= frames[0].len() { 2 } else { 0 };
        assert_eq!(records.len(), whole, "cut at {cut}");
        let offset = if whole == 2 { frames[0].len() } else { 0 };
        assert_eq!(error, (cut > offset).then_some(JournalError::Torn { offset, lost: cut - offset }));
    }
}

#[test]
fn damage_is_told_from_a_torn_tail() {
    let first = encode(&[record(1)], Revision(0));
    let second = encode(&[record(2)], Revision(1));
    let mut all = [first.clone(), second.clone()].concat();
    all[15] ^= 1;
    assert_eq!(read(&all).1, Some(JournalError::Damaged { offset: 0 }), "the second batch says the first was durable");
    let unsynced = encode(&[record(2)], Revision(0));
    let mut all = [first, unsynced].concat();
    all[15] ^= 1;
    assert_eq!(read(&all).1, Some(JournalError::Torn { offset: 0, lost: all.len() }), "nothing was acknowledged");
    let mut newer = second;
    newer[3] = b'2';
    assert_eq!(read(&newer).1, Some(JournalError::Version { offset: 0, version: b'2' }));
}

#[test]
fn a_seal_tells_damage_of_the_last_batch_from_a_torn_one() {
    let (first, second) = (encode(&[record(1)], Revision(0)), encode(&[record(2)], Revision(1)));
    let seal = encode(&[], Revision(2));
    let whole = [first.clone(), second.clone(), seal.clone()].concat();
    assert_eq!(read(&whole), (vec![record(1), record(2)], None));
    for bit in 0..second.len() * 8 {
        let mut all = whole.clone();
        all[first.len() + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&all), (vec![record(1)], Some(JournalError::Damaged { offset: first.len() })), "bit {bit}");
    }
    for cut in 1..seal.len() {
        let torn = Some(JournalError::Torn { offset: whole.len() - seal.len(), lost: cut });
        assert_eq!(read(&whole[..whole.len() - seal.len() + cut]), (vec![record(1), record(2)], torn));
    }
}

#[test]
fn one_flipped_bit_costs_its_batch_and_says_which() {
    let frames: Vec<Vec<u8>> =
        (1..6).map(|at| encode(&[record(2 * at - 1), record(2 * at)], Revision(2 * at - 2))).collect();
    let whole = frames.concat();
    let all: Vec<Record> = (1..11).map(record).collect();
    assert_eq!(salvage(&whole, Revision(0)).unwrap().records, all);
    let (offset, length) = (frames[0].len() + frames[1].len(), frames[2].len());
    for bit in 0..length * 8 {
        let mut bytes = whole.clone();
        bytes[offset + bit / 8] ^= 1 << (bit % 8);
        let found = salvage(&bytes, Revision(0)).unwrap();
        assert_eq!(found.records, [&all[..4], &all[6..]].concat(), "bit {bit}");
        let loss = &found.losses[..];
        assert_eq!(loss.len(), 1, "bit {bit}");
        assert_eq!((loss[0].offset, loss[0].length), (offset, length), "bit {bit}");
        assert_eq!((loss[0].after, loss[0].before), (Revision(4), Some(Revision(7))), "bit {bit}");
        // In the frame's head or an object's content it does not hide what the frame is about.
        if bit < 12 * 8 {
            assert_eq!(loss[0].keys, [Key::new("pods", "default", "a")], "bit {bit}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = salvage(&bytes, Revision(0));
    }
}
