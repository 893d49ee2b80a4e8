//! Short names for contents: the same contents get the same name, so that doing a thing twice makes no second one.

/// Letters and digits that spell no words (upstream's `rand.SafeEncodeString`).
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// So many letters and digits for a text (FNV-1a).
pub(crate) fn short(text: &str, length: usize) -> String {
    let mut hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut short = String::new();
    for _ in 0..length {
        short.push(char::from(LETTERS[(hash % 27) as usize]));
        hash /= 27;
    }
    short
}
