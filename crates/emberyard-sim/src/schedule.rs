//! Which fault strikes when: a function of seed, faults and count, and of nothing else.

use crate::random::Random;
use crate::{Fault, Job, Promise};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// One fault, planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Strike {
    /// Its number, from 1.
    pub number: u32,
    /// What strikes.
    pub fault: Fault,
    /// The job that runs meanwhile.
    pub job: Job,
    /// Milliseconds from the job's start to the strike.
    pub after_ms: u64,
    /// Which of those that it can strike: counted through, modulo how many there are.
    pub pick: u64,
    /// Milliseconds that it lasts; 0 for what is over at once.
    pub lasts_ms: u64,
    /// Whether the session ends after it, if the fault leaves it alive.
    pub ends_session: bool,
}

/// A job of ours takes about six seconds: a strike finds it starting, at work or almost done.
const MOMENT: (u64, u64) = (100, 5_000);
/// Every so many sessions that could live on end all the same: their cleaning up is looked at too.
const ENDS: u64 = 3;

/// Plans `count` strikes. Every fault of the list strikes once before any strikes again.
pub fn schedule(faults: &[Fault], seed: u64, count: u32) -> Vec<Strike> {
    let mut random = Random::new(seed);
    let mut waiting: Vec<Fault> = Vec::new();
    let mut strikes = Vec::new();
    for number in 1..=count {
        if waiting.is_empty() {
            waiting = faults.to_vec();
            random.shuffle(&mut waiting);
        }
        let Some(fault) = waiting.pop() else { break };
        let plain = Job::PLAIN[usize::try_from(random.below(Job::PLAIN.len() as u64)).unwrap_or(0)];
        let job = if fault.is_of_hdfs() { Job::Hdfs } else { plain };
        strikes.push(Strike {
            number,
            fault,
            job,
            after_ms: random.between(MOMENT),
            pick: random.below(1 << 32),
            lasts_ms: fault.lasts().map_or(0, |bounds| random.between(bounds)),
            ends_session: random.below(ENDS) == 0 || fault.promise() != Promise::Answer || number == count,
        });
    }
    strikes
}

impl Strike {
    /// From the job's start to the strike.
    pub fn after(&self) -> Duration {
        Duration::from_millis(self.after_ms)
    }

    /// How long it lasts.
    pub fn lasts(&self) -> Duration {
        Duration::from_millis(self.lasts_ms)
    }

    /// Chooses one of a list.
    pub fn choose<'a, T>(&self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.place(list.len()))
    }

    /// The same, taken out of the list.
    pub fn take<T>(&self, mut list: Vec<T>) -> Option<T> {
        let place = self.place(list.len());
        (place < list.len()).then(|| list.swap_remove(place))
    }

    fn place(&self, count: usize) -> usize {
        usize::try_from(self.pick % count.max(1) as u64).unwrap_or(0)
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, fault, job, after_ms, pick, lasts_ms, ends_session } = self;
        let seconds = |ms: &u64| format!("{}.{:03} s", ms / 1000, ms % 1000);
        write!(
            f,
            "{number:>3}  {:<20}  {:>7} after the start of {job:<7}  pick {pick:>10}",
            fault.word(),
            seconds(after_ms)
        )?;
        if *lasts_ms > 0 {
            write!(f, "  for {}", seconds(lasts_ms))?;
        }
        if *ends_session {
            f.write_str("  then the session ends")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let plan = |faults: &[Fault], count| -> String {
            schedule(faults, 7, count).iter().map(Strike::to_string).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(plan(&Fault::YARD, 24));
        insta::assert_snapshot!("hdfs", plan(&Fault::HDFS, 14));
    }

    #[test]
    fn another_seed_is_another_schedule() {
        assert_ne!(schedule(&Fault::YARD, 1, 8), schedule(&Fault::YARD, 2, 8));
    }

    #[test]
    fn nothing_to_strike_with_is_no_strike() {
        assert_eq!(schedule(&[], 1, 8), []);
    }

    proptest! {
        #[test]
        fn what_every_schedule_keeps(seed: u64, count in 0_u32..200, some in proptest::sample::subsequence(Fault::every().collect::<Vec<_>>(), 1..8)) {
            let strikes = schedule(&some, seed, count);
            prop_assert_eq!(&strikes, &schedule(&some, seed, count));
            prop_assert_eq!(strikes.len(), count as usize);
            // A shorter rehearsal is the beginning of a longer one, but for the end of its last session.
            let longer = schedule(&some, seed, count + 1);
            prop_assert!(strikes.iter().zip(&longer).take(count.saturating_sub(1) as usize).all(|(a, b)| a == b));
            let mut times: BTreeMap<Fault, usize> = some.iter().map(|fault| (*fault, 0)).collect();
            for strike in &strikes {
                prop_assert!((MOMENT.0..=MOMENT.1).contains(&strike.after_ms));
                prop_assert_eq!(strike.lasts_ms > 0, strike.fault.lasts().is_some());
                prop_assert_eq!(strike.job == Job::Hdfs, strike.fault.is_of_hdfs());
                prop_assert!(strike.ends_session || strike.fault.promise() == Promise::Answer);
                *times.get_mut(&strike.fault).unwrap() += 1;
            }
            let (least, most) = (times.values().min().unwrap(), times.values().max().unwrap());
            prop_assert!(most - least <= 1, "{:?}", times);
            prop_assert!(strikes.last().is_none_or(|last| last.ends_session));
        }

        #[test]
        fn a_choice_is_one_of_those_there(pick: u64, there in 0_usize..9) {
            let mut strike = schedule(&[Fault::Agent], 1, 1).remove(0);
            strike.pick = pick;
            let list: Vec<usize> = (0..there).collect();
            prop_assert_eq!(strike.choose(&list).is_some(), there > 0);
            prop_assert_eq!(strike.choose(&list).copied(), strike.take(list));
        }
    }
}
