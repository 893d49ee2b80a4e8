//! Which endpoint a connection goes to: round robin, or the one its client had.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

/// An endpoint's address and port.
pub(super) type Target = (Ipv4Addr, u16);

/// Clients remembered at one time.
const MOST_CLIENTS: usize = 4096;

/// The state of one service port.
#[derive(Debug, Default)]
pub(super) struct Balance {
    turn: usize,
    kept: BTreeMap<IpAddr, (Target, Instant)>,
}

impl Balance {
    /// Targets in the order to try.
    pub(super) fn order(
        &mut self,
        targets: &[Target],
        client: IpAddr,
        affinity: Option<Duration>,
        now: Instant,
    ) -> Vec<Target> {
        if targets.is_empty() {
            return Vec::new();
        }
        self.turn = self.turn.wrapping_add(1);
        let start = self.turn % targets.len();
        let mut order: Vec<Target> = targets[start..].iter().chain(&targets[..start]).copied().collect();
        if let Some(span) = affinity {
            if let Some((target, seen)) = self.kept.get(&client)
                && now.duration_since(*seen) < span
                && let Some(at) = order.iter().position(|t| t == target)
            {
                order.swap(0, at);
            }
            self.remember(client, order[0], now, span);
        }
        order
    }

    fn remember(&mut self, client: IpAddr, target: Target, now: Instant, span: Duration) {
        if self.kept.len() >= MOST_CLIENTS {
            self.kept.retain(|_, (_, seen)| now.duration_since(*seen) < span);
        }
        if self.kept.len() < MOST_CLIENTS {
            self.kept.insert(client, (target, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_turns_and_keeps_clients() {
        let ip = |n| (Ipv4Addr::new(10, 42, 0, n), 80);
        let targets = [ip(1), ip(2), ip(3)];
        let client = IpAddr::from([10, 42, 1, 1]);
        let now = Instant::now();
        let mut balance = Balance::default();
        let firsts: Vec<Target> = (0..3).map(|_| balance.order(&targets, client, None, now)[0]).collect();
        assert_eq!(firsts, [ip(2), ip(3), ip(1)]);
        let span = Some(Duration::from_secs(10));
        let first = balance.order(&targets, client, span, now)[0];
        assert!((0..5).all(|_| balance.order(&targets, client, span, now)[0] == first));
        let rest: Vec<Target> = targets.iter().copied().filter(|t| *t != first).collect();
        assert!(balance.order(&rest, client, span, now).iter().all(|t| *t != first));
        assert!(balance.order(&[], client, span, now).is_empty());
    }
}
