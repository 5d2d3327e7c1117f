//! Everything that is asked of a token before its signature, as one ordered list: serving stops at the first check
//! that fails, an inspection walks to the end. Never waits, and never allocates while all is good.

use serde_json::{Map, Value};

use super::jwt::Header;
use super::{claims, shown};
use crate::identity::binding::Confirmation;
use crate::identity::error::Unverified;
use crate::identity::principal::actors;
use crate::identity::settings::{Audience, IssuerSettings};
use crate::model::UnixTime;

/// What the checks look at.
#[derive(Clone, Copy)]
pub(in crate::identity) struct Case<'a> {
    pub(in crate::identity) header: &'a Header,
    pub(in crate::identity) claims: &'a Map<String, Value>,
    pub(in crate::identity) audience: &'a Audience,
    /// The issuer that the token names, if this server trusts it.
    pub(in crate::identity) issuer: Option<&'a IssuerSettings>,
    pub(in crate::identity) now: UnixTime,
}

impl<'a> Case<'a> {
    /// The issuer, without which many checks have nothing to compare with.
    pub(super) fn issuer(&self) -> Result<&'a IssuerSettings, Unverified> {
        self.issuer
            .ok_or_else(|| claims::wrong_issuer(self.claims, self.audience))
    }
}

/// One thing that is asked of a token.
pub(in crate::identity) struct Check {
    /// What an operator calls it.
    pub(in crate::identity) name: &'static str,
    /// Where it is demanded.
    pub(in crate::identity) rule: &'static str,
    /// Whether it can be judged without knowing the issuer.
    pub(in crate::identity) basis: Basis,
    /// Judges it.
    pub(in crate::identity) judge: fn(&Case<'_>) -> Result<(), Unverified>,
    /// What would be good, for an operator.
    pub(in crate::identity) expected: fn(&Case<'_>) -> String,
    /// What is there, for an operator.
    pub(in crate::identity) got: fn(&Case<'_>) -> String,
}

/// What a check compares a token with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Basis {
    /// The server alone.
    Server,
    /// The settings of its issuer.
    Issuer,
}

/// The first failure among all checks.
pub(in crate::identity) fn judge(case: &Case<'_>) -> Result<(), Unverified> {
    CHECKS.iter().try_for_each(|check| (check.judge)(case))
}

/// Cheap ones first, and the issuer before all that depends on it.
pub(in crate::identity) const CHECKS: [Check; 16] = [
    Check {
        name: "issuer",
        rule: "RFC 9068 section 4",
        basis: Basis::Server,
        judge: |case| case.issuer().map(drop),
        expected: shown::trusted_issuers,
        got: |case| shown::claim(case, "iss"),
    },
    Check {
        name: "algorithm",
        rule: "RFC 8725 section 3.1",
        basis: Basis::Issuer,
        judge: |case| claims::check_algorithm(case.header, case.issuer()?),
        expected: shown::algorithms,
        got: |case| case.header.algorithm.name().to_owned(),
    },
    Check {
        name: "type",
        rule: "RFC 9068 section 4",
        basis: Basis::Issuer,
        judge: |case| claims::check_type(case.header, case.issuer()?),
        expected: shown::token_types,
        got: shown::token_type,
    },
    Check {
        name: "purpose",
        rule: "RFC 8725 section 3.12",
        basis: Basis::Issuer,
        judge: |case| claims::check_purpose(case.header, case.claims, case.issuer()?),
        expected: shown::purpose,
        got: shown::rights,
    },
    Check {
        name: "audience",
        rule: "RFC 9068 section 4",
        basis: Basis::Server,
        judge: |case| claims::check_audience(case.claims, &case.audience.accepted),
        expected: |case| case.audience.accepted.join(" "),
        got: |case| shown::claim(case, "aud"),
    },
    Check {
        name: "other audiences",
        rule: "RFC 7519 section 4.1.3",
        basis: Basis::Server,
        judge: |case| claims::check_other_audiences(case.claims, case.audience),
        expected: shown::other_audiences_allowed,
        got: shown::other_audiences,
    },
    Check {
        name: "expiry",
        rule: "RFC 7519 section 4.1.4",
        basis: Basis::Server,
        judge: |case| claims::check_expiry(case.claims, case.now),
        expected: |_| "in the future".to_owned(),
        got: |case| shown::time(case, "exp"),
    },
    Check {
        name: "issued",
        rule: "RFC 7519 section 4.1.6",
        basis: Basis::Server,
        judge: |case| claims::check_issued(case.claims, case.now),
        expected: |_| "in the past".to_owned(),
        got: |case| shown::time(case, "iat"),
    },
    Check {
        name: "not before",
        rule: "RFC 7519 section 4.1.5",
        basis: Basis::Server,
        judge: |case| claims::check_optional_past(case.claims, "nbf", case.now),
        expected: |_| "in the past, or none".to_owned(),
        got: |case| shown::time(case, "nbf"),
    },
    Check {
        name: "login",
        rule: "RFC 9068 section 2.2.1",
        basis: Basis::Server,
        judge: |case| claims::check_optional_past(case.claims, "auth_time", case.now),
        expected: |_| "in the past, or none".to_owned(),
        got: |case| shown::time(case, "auth_time"),
    },
    Check {
        name: "lifetime",
        rule: "RFC 9700 section 2.2",
        basis: Basis::Issuer,
        judge: |case| claims::check_lifetime(case.claims, case.issuer()?.max_token_lifetime),
        expected: shown::longest_lifetime,
        got: shown::lifetime,
    },
    Check {
        name: "subject",
        rule: "RFC 9068 section 2.2",
        basis: Basis::Server,
        judge: |case| claims::subject(case.claims).map(drop),
        expected: |_| "a name".to_owned(),
        got: |case| shown::claim(case, "sub"),
    },
    Check {
        name: "client",
        rule: "RFC 9068 section 2.2",
        basis: Basis::Issuer,
        judge: |case| claims::check_client(case.claims, case.issuer()?),
        expected: |case| shown::demanded(case),
        got: shown::client,
    },
    Check {
        name: "token id",
        rule: "RFC 9068 section 2.2",
        basis: Basis::Issuer,
        judge: |case| claims::check_id(case.claims, case.issuer()?),
        expected: |case| shown::demanded(case),
        got: |case| shown::claim(case, "jti"),
    },
    Check {
        name: "actors",
        rule: "RFC 8693 section 4.1",
        basis: Basis::Issuer,
        judge: |case| actors(case.claims, &case.issuer()?.actor_claim).map(drop),
        expected: |_| "a chain of subjects, or none".to_owned(),
        got: shown::actors,
    },
    Check {
        name: "binding",
        rule: "RFC 7800 section 3.1",
        basis: Basis::Server,
        judge: |case| Confirmation::read(case.claims).map(drop),
        expected: |_| "`jkt`, `x5t#S256` or none".to_owned(),
        got: |case| shown::claim(case, "cnf"),
    },
];
