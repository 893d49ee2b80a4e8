//! Notices that the machine slept, or that its clock was set. The steady clock, by which everybody waits, does not count
//! such time: what should have been renewed in it is over, and after a clock was set back its times are still to come.

use emberyard_model::Timestamp;
use std::time::{Duration, Instant};

/// More than any loaded machine makes a look come late, and less than anything that is renewed lasts.
const JUMP: Duration = Duration::from_secs(30);

/// Both clocks at the last look.
pub(super) struct Clocks {
    wall: Timestamp,
    steady: Instant,
}

impl Clocks {
    /// Begins to look.
    pub(super) fn new(wall: Timestamp, steady: Instant) -> Self {
        Self { wall, steady }
    }

    /// Whether the one went further than the other since the last look.
    pub(super) fn jumped(&mut self, wall: Timestamp, steady: Instant) -> bool {
        let waited = self.wall.plus(steady.saturating_duration_since(self.steady));
        *self = Self { wall, steady };
        wall.since(waited).max(waited.since(wall)) > JUMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_went_alone_has_jumped() {
        let (wall, steady) = (Timestamp::from_seconds(1000), Instant::now());
        let after = |seconds| (wall.plus(Duration::from_secs(seconds)), steady + Duration::from_secs(seconds));
        let mut clocks = Clocks::new(wall, steady);
        assert!(!clocks.jumped(after(2).0, after(2).1));
        // Frozen for a minute: both clocks went on.
        assert!(!clocks.jumped(after(62).0, after(62).1));
        assert!(clocks.jumped(after(3662).0, after(63).1));
        assert!(!clocks.jumped(after(3664).0, after(65).1));
        assert!(clocks.jumped(after(66).0, after(67).1), "set back");
    }
}
