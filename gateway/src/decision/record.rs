//! Puts decisions on record. A [`Permit`] and a [`Refusal`] exist only once their record does: no record, no call.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policies::{RuleId, Tier};

use crate::audit::event::{self, Kind};
use crate::audit::{EventId, Ledger, part};
use crate::decision::circumstance::{Circumstance, Request};
use crate::decision::describe;
use crate::decision::freshness::StepUp;
use crate::decision::notice;
use crate::decision::verdict::{Decision, Denied, Verdict};
use crate::identity::Principal;
use crate::model::{Reason, UnixTime};

/// The right to send one request to its upstream. Its decision is on record, with a lower number than
/// its outcome will have.
///
/// ```compile_fail
/// let permit = gatewright::decision::Permit {};
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used is a call that was recorded and never made"]
pub struct Permit {
    principal: Arc<Principal>,
    request: Request,
    decision: EventId,
    tier: Tier,
}

impl Permit {
    /// Who was permitted.
    pub const fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The request, as the client was told its id.
    pub fn request_id(&self) -> &str {
        &self.request.id
    }

    /// The request.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// How much harm it can do: above `low`, somebody was told.
    pub const fn tier(&self) -> Tier {
        self.tier
    }

    /// The record of the decision.
    pub const fn decision(&self) -> EventId {
        self.decision
    }
}

/// A request that was refused, on record unless the record itself is what failed; of a flood, as one of a number.
#[derive(Debug)]
#[must_use = "a refusal must be answered"]
pub struct Refusal {
    reason: Reason,
    missing: Vec<String>,
    wanted: Vec<String>,
    step_up: Option<StepUp>,
    retry_after: Option<Duration>,
    request: Box<str>,
    decision: Option<String>,
}

impl Refusal {
    /// Why.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The scopes whose lack was the reason.
    pub fn missing_scopes(&self) -> &[String] {
        &self.missing
    }

    /// The scopes to ask for: those held and those missing. Some clients replace the ones they have.
    pub fn wanted_scopes(&self) -> &[String] {
        &self.wanted
    }

    /// What the login must be, when that was the reason.
    pub const fn step_up(&self) -> Option<&StepUp> {
        self.step_up.as_ref()
    }

    /// After how long the same may pass, when that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The id of the request.
    pub fn request_id(&self) -> &str {
        &self.request
    }

    /// The id of the decision's record, when there is one.
    pub fn decision_id(&self) -> Option<&str> {
        self.decision.as_deref()
    }
}

impl Verdict {
    /// Records the decision about a principal's request, and only then lets it have effect.
    ///
    /// # Errors
    /// The refusal, when that was the decision; `AuditUnavailable` when it could not be recorded.
    pub async fn record(
        self,
        ledger: &Ledger,
        principal: &Arc<Principal>,
        circumstance: &Circumstance<'_>,
    ) -> Result<Permit, Refusal> {
        let rules = texts(&self.rules);
        let silent = self.shadow.as_ref().map(|shadow| texts(&shadow.rules));
        let shadow = self.shadow.as_ref().zip(silent.as_deref());
        let shadow = shadow.map(|(shadow, rules)| (decision(shadow.refusal), rules));
        let policy = describe::policy(circumstance.in_force, &rules, (self.tier, shadow));
        let denied = match self.decision {
            Decision::Allow => {
                let grounds = Grounds {
                    policy,
                    tier: self.tier,
                    scopes: used(circumstance.needed, self.scopes),
                };
                return allow(ledger, principal, circumstance, grounds).await;
            }
            Decision::Deny(denied) => denied,
        };
        let denial = Denial {
            denied,
            policy,
            result: None,
        };
        Err(deny(ledger, principal, circumstance, denial).await)
    }
}

fn texts(rules: &[RuleId]) -> Vec<&str> {
    rules.iter().map(RuleId::as_str).collect()
}

const fn decision(refusal: Option<Reason>) -> event::Decision {
    match refusal {
        None => event::Decision::Allow,
        Some(_) => event::Decision::Deny,
    }
}

/// What a record says of a principal in the session of another.
const MISMATCH: &str = "session_principal_mismatch";

/// The scopes without which it would have been refused: the server's, then the rules', each once.
fn used(needed: &[String], of_rules: Vec<String>) -> Vec<String> {
    let mut used = needed.to_vec();
    for scope in of_rules {
        if !used.contains(&scope) {
            used.push(scope);
        }
    }
    used
}

/// What an allowed request is allowed for.
struct Grounds<'a> {
    policy: part::Policy<'a>,
    tier: Tier,
    scopes: Vec<String>,
}

async fn allow(
    ledger: &Ledger,
    principal: &Arc<Principal>,
    circumstance: &Circumstance<'_>,
    grounds: Grounds<'_>,
) -> Result<Permit, Refusal> {
    let request = circumstance.request;
    let decision = ledger.event_id(request.at);
    let chain = describe::chain(principal);
    let mut event = describe::event(Kind::Decision, decision, circumstance, chain);
    event.policy = Some(grounds.policy);
    event.decision = Some(event::Decision::Allow);
    event.scopes_used = grounds.scopes.as_slice().into();
    if ledger.append(&mut event).await.is_err() {
        return Err(Refusal::unrecorded(request));
    }
    let permit = Permit {
        principal: Arc::clone(principal),
        request: request.clone(),
        decision,
        tier: notice::tier_of(circumstance, grounds.tier),
    };
    if permit.tier != Tier::Low {
        notice::record(ledger, event, decision);
    }
    Ok(permit)
}

struct Denial<'a> {
    denied: Denied,
    policy: part::Policy<'a>,
    /// What the record says of the caller instead of `ok`.
    result: Option<&'static str>,
}

async fn deny(
    ledger: &Ledger,
    principal: &Arc<Principal>,
    circumstance: &Circumstance<'_>,
    denial: Denial<'_>,
) -> Refusal {
    let request = circumstance.request;
    let decision = ledger.event_id(request.at);
    let chain = describe::chain(principal);
    let mut event = describe::event(Kind::Decision, decision, circumstance, chain);
    event.policy = Some(denial.policy);
    event.decision = Some(event::Decision::Deny);
    let denied = denial.denied;
    let approver = denied.approver.as_deref().map(awaited);
    let mut refused = describe::refused(denied.reason, &denied.missing);
    if let Some(text) = &approver {
        refused.message = text.as_str().into();
    }
    event.reason = Some(refused);
    if let (Some(result), Some(authn)) = (denial.result, &mut event.authn) {
        authn.result = result.into();
    }
    if ledger.append(&mut event).await.is_err() {
        return Refusal::unrecorded(request);
    }
    Refusal {
        reason: denied.reason,
        wanted: wanted(principal, &denied.missing),
        missing: denied.missing,
        step_up: denied.step_up,
        retry_after: denied.retry_after,
        request: request.id.clone(),
        decision: Some(decision.to_string()),
    }
}

/// Who is waited for: a name of the policy, for the record alone.
fn awaited(group: &str) -> String {
    if group.is_empty() {
        return Reason::ApprovalRequired.message().to_owned();
    }
    format!("somebody of `{group}` has to agree first")
}

fn wanted(principal: &Principal, missing: &[String]) -> Vec<String> {
    let held = principal.scopes().iter().map(ToString::to_string);
    held.chain(missing.iter().cloned()).collect()
}

impl Refusal {
    /// Refuses what a principal sent before any rule could be asked, e.g. a message that is none.
    pub async fn unread(
        ledger: &Ledger,
        principal: &Arc<Principal>,
        circumstance: &Circumstance<'_>,
        reason: Reason,
    ) -> Self {
        Self::plain(ledger, principal, circumstance, (reason, None)).await
    }

    /// Refuses a principal that names another's session. The client is told what it would be told of one that never
    /// was; the record says more.
    pub async fn trespass(
        ledger: &Ledger,
        principal: &Arc<Principal>,
        circumstance: &Circumstance<'_>,
    ) -> Self {
        let found = (Reason::SessionUnknown, Some(MISMATCH));
        Self::plain(ledger, principal, circumstance, found).await
    }

    async fn plain(
        ledger: &Ledger,
        principal: &Arc<Principal>,
        circumstance: &Circumstance<'_>,
        (reason, result): (Reason, Option<&'static str>),
    ) -> Self {
        let denial = Denial {
            denied: Denied::of(reason),
            policy: describe::policy(circumstance.in_force, &[], (Tier::Low, None)),
            result,
        };
        deny(ledger, principal, circumstance, denial).await
    }

    /// Refuses a stranger. Strangers must not be able to fill the ledger: such a record may be counted instead of kept.
    pub fn stranger(
        ledger: &Ledger,
        circumstance: &Circumstance<'_>,
        reason: Reason,
        authentication: part::Authentication<'_>,
    ) -> Self {
        let decision = ledger.event_id(circumstance.request.at);
        let mut event = describe::event(Kind::Authn, decision, circumstance, Vec::new());
        event.decision = Some(event::Decision::Deny);
        event.authn = Some(authentication);
        event.reason = Some(describe::refused(reason, &[]));
        ledger.append_lossy(&mut event);
        Self {
            reason,
            missing: Vec::new(),
            wanted: Vec::new(),
            step_up: None,
            retry_after: None,
            request: circumstance.request.id.clone(),
            decision: Some(decision.to_string()),
        }
    }

    /// Refuses one of many strangers, without a record of its own: whoever asks for this has counted it, and the count
    /// goes on record ([`crate::decision::tally`]).
    pub fn counted(request: &Request, reason: Reason) -> Self {
        Self::without_record(request, reason)
    }

    fn unrecorded(request: &Request) -> Self {
        Self::without_record(request, Reason::AuditUnavailable)
    }

    fn without_record(request: &Request, reason: Reason) -> Self {
        Self {
            reason,
            missing: Vec::new(),
            wanted: Vec::new(),
            step_up: None,
            retry_after: None,
            request: request.id.clone(),
            decision: None,
        }
    }
}

/// How a permitted request ended.
#[derive(Debug)]
pub struct Ended {
    /// When.
    pub at: UnixTime,
    /// What the client got.
    pub outcome: part::Outcome,
    /// Why it got no answer of the upstream, if it did not.
    pub failure: Option<Reason>,
}

impl Permit {
    /// Records how the permitted request ended. Returns whether the ledger took it.
    pub fn record_outcome(
        &self,
        ledger: &Ledger,
        circumstance: &Circumstance<'_>,
        ended: Ended,
    ) -> bool {
        let id = ledger.event_id(ended.at);
        let mut event = describe::event(Kind::Outcome, id, circumstance, Vec::new());
        event.timestamp = ended.at;
        event.decision_id = Some(self.decision);
        event.outcome = Some(ended.outcome);
        event.reason = ended.failure.map(|reason| describe::refused(reason, &[]));
        ledger.append_later(&mut event).is_ok()
    }
}
