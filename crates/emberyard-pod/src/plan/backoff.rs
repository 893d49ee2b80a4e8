//! How long to wait before the next try.

use crate::observed::Stage;
use emberyard_model::Timestamp;
use std::time::Duration;

/// First wait between restarts of a container: that of KEP-4603. The longest is one that KEP-5593 lets a node's owner choose (decision 23).
const RESTART_FIRST: Duration = Duration::from_secs(1);
/// Longest wait between restarts of a container.
const RESTART_MOST: Duration = Duration::from_secs(10);
/// A run this long clears the record of crashes.
pub(super) const FORGIVEN_AFTER: Duration = Duration::from_secs(600);
/// First and longest wait for an image: it is local, and a person may just be building it.
const IMAGE_FIRST: Duration = Duration::from_secs(10);
const IMAGE_MOST: Duration = Duration::from_secs(60);
/// First and longest wait for volumes and sandboxes: what is missing is mostly on its way (Spark posts a pod before
/// its ConfigMap).
const PREPARE_FIRST: Duration = Duration::from_millis(100);
const PREPARE_MOST: Duration = Duration::from_secs(5);

fn doubled(first: Duration, most: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times.min(16))).min(most)
}

/// The wait before restart number `crashes`: the first comes at once, then 1 s, doubling up to ten.
pub(super) fn restart(crashes: u32) -> Duration {
    if crashes == 0 { Duration::ZERO } else { doubled(RESTART_FIRST, RESTART_MOST, crashes - 1) }
}

/// The wait after an image was not found `tries` times.
pub(super) fn image(tries: u32) -> Duration {
    doubled(IMAGE_FIRST, IMAGE_MOST, tries.saturating_sub(1))
}

/// The wait after a preparation failed `tries` times.
pub(super) fn prepare(tries: u32) -> Duration {
    doubled(PREPARE_FIRST, PREPARE_MOST, tries.saturating_sub(1))
}

/// Whether a stage may be tried now; `Err` with the time when it may.
pub(super) fn due(stage: &Stage, now: Timestamp) -> Result<bool, Timestamp> {
    match stage {
        Stage::Absent => Ok(true),
        Stage::Failed { at, tries, .. } => {
            let next = at.plus(prepare(*tries));
            if now >= next { Ok(true) } else { Err(next) }
        }
        Stage::Busy { .. } | Stage::Ready | Stage::Gone => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let seconds: Vec<u64> = (0..8).map(|n| restart(n).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 10, 10, 10]);
        assert_eq!(image(1).as_secs(), 10);
        assert_eq!(image(9).as_secs(), 60);
        assert_eq!(prepare(1).as_millis(), 100);
        assert_eq!(prepare(20).as_secs(), 5);
    }
}
