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
    promotion: Promotion,
    at: UnixTime,
) -> Result<(), AuditError> {
    let gateway = describe::gateway(in_force);
    let mut event = Event::new(Kind::Config, at, ledger.event_id(at), gateway);
    event.action = Some(Joined::action(change.action(), None));
    event.promotion = Some(promotion);
    ledger.append_later(&mut event).map(drop)
}
