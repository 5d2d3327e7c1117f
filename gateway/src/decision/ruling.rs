//! The whole decision: the policy, the budgets it charges, and what is decided besides without effect. Charges nothing
//! unless all else allows.

use std::time::Duration;

use gatewright_policies::{Charge, Measure, Per};

use crate::decision::circumstance::Action;
use crate::decision::gate::{Asked, Gate};
use crate::decision::mode::Mode;
use crate::decision::regime::Rulebook;
use crate::decision::verdict::Verdict;
use crate::mcp::Target;
use crate::model::{Digest, Reason};
use crate::state::{self, SharedState, Taken};

/// Which accounts are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accounts {
    /// Those that count.
    Real,
    /// Those of a policy without effect.
    Apart,
}

impl Gate<'_> {
    /// What is decided. A `candidate` is asked too, and has no effect but in the record; a policy in shadow mode is such a
    /// candidate itself.
    pub async fn decide(
        &self,
        asked: &Asked<'_>,
        candidate: Option<&Rulebook>,
        state: &dyn SharedState,
    ) -> Verdict {
        match (self.mode, candidate) {
            (Mode::Enforce, None) => self.rule(asked, Accounts::Real, state).await,
            (Mode::Enforce, Some(rules)) => {
                let verdict = self.rule(asked, Accounts::Real, state).await;
                let other = Gate { rules, ..*self };
                verdict.beside(other.rule(asked, Accounts::Apart, state).await)
            }
            (Mode::Shadow, _) => {
                let strict = self.rule(asked, Accounts::Apart, state).await;
                if strict.is_refused_by_policy() {
                    self.excuse(asked).beside(strict)
                } else {
                    strict.beside_itself()
                }
            }
        }
    }

    async fn rule(
        &self,
        asked: &Asked<'_>,
        accounts: Accounts,
        state: &dyn SharedState,
    ) -> Verdict {
        let verdict = self.judge(asked);
        if verdict.charges.is_empty() || verdict.refusal().is_some() {
            return verdict;
        }
        self.charge(verdict, asked, (accounts, state)).await
    }

    async fn charge(
        &self,
        verdict: Verdict,
        asked: &Asked<'_>,
        (accounts, state): (Accounts, &dyn SharedState),
    ) -> Verdict {
        let too_much = verdict.charges.iter().find(|charge| is_too_much(charge));
        if let Some(rule) = too_much.map(|charge| charge.rule.clone()) {
            return verdict.refused(Reason::ArgumentDenied).by(vec![rule]);
        }
        let name = name(asked.action);
        let charges: Vec<_> = verdict
            .charges
            .iter()
            .map(|charge| self.due(charge, name, accounts))
            .collect();
        match state.take(&charges, self.now).await {
            Ok(Taken::All) => verdict,
            Ok(Taken::Spent { first, until }) => {
                let rule = verdict.charges.get(first).map(|charge| charge.rule.clone());
                let wait = until.since(self.now).max(Duration::from_secs(1));
                verdict.spent(rule, wait)
            }
            Err(_) => verdict.refused(Reason::StateUnavailable),
        }
    }

    /// What the charge of a rule is to the keeper of budgets: digests and numbers, and nobody's name.
    fn due(&self, charge: &Charge, name: &str, accounts: Accounts) -> state::Charge {
        let issuer = self.principal.issuer().as_str().as_bytes();
        let subject = self.principal.subject().as_bytes();
        let limit = &charge.limit;
        let numbers = [limit.most.to_be_bytes(), millis(limit.window).to_be_bytes()];
        let measured: [&[u8]; 2] = match &limit.measure {
            Measure::Calls => [b"calls", b""],
            Measure::Sum(path) => [b"sum", path.as_bytes()],
        };
        let apart: &[u8] = match accounts {
            Accounts::Real => b"",
            Accounts::Apart => self.rules.digest.as_bytes(),
        };
        let mut parts = vec![apart, charge.rule.as_str().as_bytes()];
        parts.extend(numbers.iter().map(<[u8; 8]>::as_slice));
        parts.extend(measured);
        let server = self.audience.server.as_str();
        match limit.per {
            Per::Principal => parts.extend([b"principal".as_slice(), issuer, subject]),
            // A rule belongs to one role.
            Per::Role => parts.push(b"role"),
            Per::Tool => parts.extend([b"tool".as_slice(), server.as_bytes(), name.as_bytes()]),
        }
        state::Charge {
            owner: Digest::of_framed(&[issuer, subject]),
            budget: Digest::of_framed(&parts),
            amount: charge.amount,
            most: limit.most,
            window: limit.window,
        }
    }
}

/// Whether it charges more than there will ever be, which is no matter of time.
pub fn is_too_much(charge: &Charge) -> bool {
    charge.amount > charge.limit.most && matches!(charge.limit.measure, Measure::Sum(_))
}

/// What is used.
fn name<'a>(action: &Action<'a>) -> &'a str {
    let target = match action {
        Action::Call(call) => &call.target,
        Action::OwnTask { tool, .. } => return tool,
        Action::Notify { .. } | Action::Reply | Action::OpenStream | Action::EndSession => {
            return "";
        }
    };
    match target {
        Target::Tool(name) | Target::Prompt(name) | Target::Resource(name) => name,
        Target::None | Target::Resources(_) | Target::Task(_) => "",
    }
}

fn millis(window: Duration) -> u64 {
    u64::try_from(window.as_millis()).unwrap_or(u64::MAX)
}
