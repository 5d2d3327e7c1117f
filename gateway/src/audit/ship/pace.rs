//! How long to wait before the next attempt. Never for ever, never all at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::shipper::ShipError;

/// The waits between attempts of one sink.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// After the first failure.
    pub(super) first: Duration,
    /// After many failures.
    pub(super) most: Duration,
    /// After a refusal, which only somebody's hand ends.
    pub(super) refused: Duration,
    /// Longer than this nobody is left alone, whatever they ask for.
    pub(super) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            most: Duration::from_secs(30),
            refused: Duration::from_secs(60),
            patience: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// The wait after `failures` failures in a row, the last of which was `error`: between half and all of what it
    /// could be, so that gateways that failed together do not come back together.
    pub(super) fn after(&self, failures: u32, error: &ShipError) -> Duration {
        let doubled = failures.saturating_sub(1).min(30);
        let usual = self.first.saturating_mul(1 << doubled).min(self.most);
        match error {
            ShipError::Refused(_) | ShipError::TooLarge => Self::scattered(self.refused, failures),
            ShipError::Busy {
                retry_after: Some(asked),
                ..
            } => (*asked)
                .min(self.patience)
                .max(Self::scattered(usual, failures)),
            ShipError::Busy { .. }
            | ShipError::Unreachable(_)
            | ShipError::TimedOut(_)
            | ShipError::Unreadable(_) => Self::scattered(usual, failures),
        }
    }

    fn scattered(wait: Duration, failures: u32) -> Duration {
        let half = wait / 2;
        let share = u32::try_from(RandomState::new().hash_one(failures) % 1000).unwrap_or_default();
        half + half * share / 1000
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, ShipError};

    fn unreachable() -> ShipError {
        ShipError::Unreachable(String::new())
    }

    #[test]
    fn the_wait_doubles_up_to_a_bound() {
        let pace = Pace::default();
        for (failures, most) in [
            (1, 250),
            (2, 500),
            (3, 1_000),
            (8, 30_000),
            (u32::MAX, 30_000),
        ] {
            let wait = pace.after(failures, &unreachable());
            let most = Duration::from_millis(most);
            assert!(wait >= most / 2 && wait <= most, "{failures}: {wait:?}");
        }
    }

    #[test]
    fn two_gateways_do_not_wait_equally_long() {
        let waits = |pace: Pace| -> Vec<_> {
            (1..20)
                .map(|failures| pace.after(failures, &unreachable()))
                .collect()
        };
        assert_ne!(waits(Pace::default()), waits(Pace::default()));
    }

    #[test]
    fn who_asks_for_patience_gets_it_within_bounds() {
        let pace = Pace::default();
        let busy = |seconds| ShipError::Busy {
            status: 429,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(pace.after(1, &busy(7)), Duration::from_secs(7));
        assert_eq!(pace.after(1, &busy(86_400)), Duration::from_secs(300));
        assert!(pace.after(1, &busy(0)) >= Duration::from_millis(125));
    }

    #[test]
    fn a_refusal_is_tried_again_slowly() {
        let wait = Pace::default().after(1, &ShipError::Refused(String::new()));
        assert!(wait >= Duration::from_secs(30) && wait <= Duration::from_secs(60));
    }
}
