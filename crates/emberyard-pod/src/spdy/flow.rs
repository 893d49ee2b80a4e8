//! Windows: how much may be under way, on one stream or on the whole connection.

/// What every window begins with (section 2.6.8).
pub(super) const WINDOW: i64 = 64 << 10;
/// The peer hears of more room when this much has been passed on.
const TELL: u64 = 32 << 10;

/// What the peer can still take. Below zero when the peer made it smaller, or when we sent before we knew that it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(i64);

impl Room {
    pub(super) fn new(initial: i64) -> Self {
        Self(initial)
    }

    pub(super) fn left(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// False when it would pass what the protocol allows.
    pub(super) fn change(&mut self, delta: i64) -> bool {
        self.0 = self.0.saturating_add(delta);
        self.0 <= i64::from(i32::MAX)
    }
}

/// What was passed on and the peer has not heard of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Untold(u64);

impl Untold {
    /// Counts bytes; the update that is due, if any.
    pub(super) fn add(&mut self, bytes: usize) -> Option<u32> {
        self.0 += bytes as u64;
        (self.0 >= TELL).then(|| u32::try_from(std::mem::take(&mut self.0)).unwrap_or(u32::MAX >> 1))
    }
}
