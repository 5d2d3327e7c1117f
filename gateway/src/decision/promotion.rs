//! Puts on record that a policy that was only asked came into force, or that one in force is only asked from now on.

use crate::audit::event::{Event, Kind};
use crate::audit::part::Promotion;
use crate::audit::text::Joined;
use crate::audit::{AuditError, Ledger};
use crate::decision::circumstance::InForce;
use crate::decision::describe;
use crate::decision::mode::Mode;
use crate::decision::regime::Regime;
use crate::model::UnixTime;

/// What a new generation of the configuration does to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// What was asked without effect is enforced now.
    Promoted,
    /// Nothing is enforced any more.
    Demoted,
}

impl Change {
    /// What becomes of `earlier` when `later` comes into force; nothing when the same is enforced, or something that
    /// was never asked.
    pub fn between(earlier: &Regime, later: &Regime) -> Option<Self> {
        match (earlier.mode, later.mode) {
            (Mode::Enforce, Mode::Shadow) => Some(Self::Demoted),
            (Mode::Shadow, Mode::Enforce) => Some(Self::Promoted),
            (Mode::Shadow, Mode::Shadow) => None,
            (Mode::Enforce, Mode::Enforce) => {
                let is_new = earlier.rules.digest != later.rules.digest;
                let was_asked = earlier.silent() == Some(later.rules.digest);
                (is_new && was_asked).then_some(Self::Promoted)
            }
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Promoted => "policy/promoted",
            Self::Demoted => "policy/demoted",
        }
    }
}

/// Records the change. `disagreements` is how often the policies differed while one of them had no effect.
///
/// # Errors
/// The ledger cannot take it now.
pub fn record(
    ledger: &Ledger,
    in_force: &InForce,
    change: Change,
    promotion: Promotion<'_>,
    at: UnixTime,
) -> Result<(), AuditError> {
    let gateway = describe::gateway(in_force);
    let mut event = Event::new(Kind::Config, at, ledger.event_id(at), gateway);
    event.action = Some(Joined::action(change.action(), None));
    event.promotion = Some(promotion);
    ledger.append_later(&event).map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatewright_policies::{Moment, PolicySet};

    use super::Change;
    use crate::decision::mode::Mode;
    use crate::decision::regime::{Regime, Rulebook, Zone};
    use crate::model::{Digest, UnixTime};

    #[derive(Debug)]
    struct Nowhere;

    impl Zone for Nowhere {
        fn moment(&self, at: UnixTime) -> Moment {
            Moment {
                unix_millis: i64::try_from(at.millis()).unwrap(),
                weekday: 1,
                minute: 0,
            }
        }
    }

    fn rules(name: &str) -> Rulebook {
        Rulebook {
            policy: PolicySet::default(),
            digest: Digest::of(name.as_bytes()),
            zone: Arc::new(Nowhere),
        }
    }

    fn regime(mode: Mode, name: &str, candidate: Option<&str>) -> Regime {
        Regime {
            rules: rules(name),
            mode,
            candidate: candidate.map(rules),
        }
    }

    #[test]
    fn what_was_asked_and_is_enforced_now_is_promoted_and_nothing_else_is() {
        use Mode::{Enforce, Shadow};
        let between = |earlier: (Mode, &str, Option<&str>), later: (Mode, &str, Option<&str>)| {
            let earlier = regime(earlier.0, earlier.1, earlier.2);
            Change::between(&earlier, &regime(later.0, later.1, later.2))
        };
        let (promoted, demoted) = (Some(Change::Promoted), Some(Change::Demoted));
        assert_eq!(
            between((Enforce, "a", Some("b")), (Enforce, "b", None)),
            promoted
        );
        assert_eq!(between((Shadow, "a", None), (Enforce, "a", None)), promoted);
        assert_eq!(between((Enforce, "a", None), (Shadow, "a", None)), demoted);
        for (earlier, later) in [
            ((Enforce, "a", Some("b")), (Enforce, "c", None)),
            ((Enforce, "a", Some("b")), (Enforce, "a", None)),
            ((Enforce, "a", Some("a")), (Enforce, "a", None)),
            ((Enforce, "a", None), (Enforce, "a", Some("b"))),
            ((Shadow, "a", None), (Shadow, "b", None)),
        ] {
            assert_eq!(between(earlier, later), None, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn the_same_rules_with_another_effect_are_another_time() {
        let tenure = |mode, name| regime(mode, name, None).tenure();
        assert_eq!(tenure(Mode::Enforce, "a"), tenure(Mode::Enforce, "a"));
        assert_ne!(tenure(Mode::Enforce, "a"), tenure(Mode::Shadow, "a"));
        assert_ne!(tenure(Mode::Enforce, "a"), tenure(Mode::Enforce, "b"));
        assert_ne!(tenure(Mode::Shadow, "a"), tenure(Mode::Shadow, "b"));
    }
}
