//! The same checks as when serving, walked to their end, for an operator who wants to know what is wrong with a token.
//! Opens nothing: it makes no principal, and neither a token nor a signature is in what it says.

use std::sync::Arc;

use super::binding::Confirmation;
use super::credential::{Credential, RawToken};
use super::error::{Unverified, shown};
use super::keys::IssuerKeys;
use super::principal::{self, Principal};
use super::settings::{Audience, SenderConstraint};
use super::token::checks::{Basis, CHECKS, Case, Check};
use super::token::claims;
use super::token::jwt::Jwt;
use super::verify::Verifier;
use crate::model::UnixTime;

/// One check and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What an operator calls it.
    pub name: &'static str,
    /// Where it is demanded.
    pub rule: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What would be good.
    pub expected: String,
    /// What is there: escaped and cut.
    pub got: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is good.
    Passed,
    /// It is not; with the label that metrics and records would carry.
    Failed(&'static str),
    /// It depends on another check that failed.
    Unjudged,
}

/// What there is to say about a token.
#[derive(Debug)]
pub struct Inspection {
    /// Every check, in the order of serving.
    pub findings: Vec<Finding>,
    /// Who it would be, as far as its claims can be read.
    pub portrait: Option<Portrait>,
    /// When it was judged.
    pub now: UnixTime,
}

impl Inspection {
    /// Whether a server would take the token from whoever shows the keys that it is bound to.
    pub fn is_accepted(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.outcome == Outcome::Passed)
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        let failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Failed(_));
        self.findings.iter().filter(failed)
    }
}

/// A principal in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portrait {
    /// `sub`.
    pub subject: String,
    /// The client.
    pub client: Option<String>,
    /// What kind of party it is.
    pub kind: &'static str,
    /// Its roles, those that the configuration gives included.
    pub roles: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Who acts for it, the present actor first.
    pub actors: Vec<String>,
    /// What its sender has to show besides the token.
    pub bound_to: Vec<String>,
}

impl Portrait {
    pub(super) fn of(principal: &Principal) -> Self {
        let bound = principal.confirmation();
        let key = bound.key.as_ref();
        let certificate = bound.certificate.as_ref();
        let key = key.map(|key| format!("key {}", key.as_str()));
        let certificate = certificate.map(|print| format!("certificate {}", print.as_str()));
        let actors = principal.actors().iter();
        Self {
            subject: shown(principal.subject()),
            client: principal.client_id().map(shown),
            kind: principal.kind().name(),
            roles: principal
                .roles()
                .iter()
                .map(|role| shown(role.as_str()))
                .collect(),
            scopes: principal
                .scopes()
                .iter()
                .map(|scope| shown(scope))
                .collect(),
            actors: actors.map(|actor| shown(actor.subject())).collect(),
            bound_to: key.into_iter().chain(certificate).collect(),
        }
    }
}

impl Verifier {
    /// Judges `credential` as the server with this `audience` would, check by check. Fetches keys as serving does.
    pub async fn inspect(&self, credential: &Credential, audience: &Audience) -> Inspection {
        let now = self.now();
        let alone = |finding| Inspection {
            findings: vec![finding],
            portrait: None,
            now,
        };
        let token = match credential {
            Credential::Bearer(token) | Credential::Dpop(token, _) => token,
            Credential::ApiKey(_) => return self.inspect_whole(credential, audience, KEY).await,
        };
        if self.introspector(token, audience).is_some() {
            return self.inspect_whole(credential, audience, OPAQUE).await;
        }
        let jwt = match Jwt::parse(token.expose()) {
            Ok(jwt) => jwt,
            Err(refused) => return alone(form(&Err(refused))),
        };
        let keys = self.issuer(jwt.claims(), audience).ok();
        let case = Case {
            header: jwt.header(),
            claims: jwt.claims(),
            audience,
            issuer: keys.map(|keys| keys.settings()),
            now,
        };
        let mut findings = vec![form(&Ok(()))];
        findings.extend(CHECKS.iter().map(|check| judged(check, &case)));
        findings.push(constraint(&case));
        findings.extend(proof(keys, &jwt).await);
        Inspection {
            findings,
            portrait: self.portrait(&case, token),
            now,
        }
    }

    /// What cannot be looked into: somebody else says what it is, and that is judged as when serving.
    async fn inspect_whole(
        &self,
        credential: &Credential,
        audience: &Audience,
        [name, rule, expected]: [&'static str; 3],
    ) -> Inspection {
        let judged = self.verify(credential, audience).await;
        let portrait = judged.as_ref().ok().map(|unbound| unbound.portrait());
        let judged = judged.map(drop);
        let finding = Finding {
            name,
            rule,
            outcome: outcome(&judged),
            expected: expected.to_owned(),
            got: match &judged {
                Ok(()) => "good".to_owned(),
                Err(refused) => refused.to_string(),
            },
        };
        Inspection {
            findings: vec![finding],
            portrait,
            now: self.now(),
        }
    }

    fn portrait(&self, case: &Case<'_>, token: &RawToken) -> Option<Portrait> {
        let digest = token.digest();
        let expires = claims::expiry(case.claims).ok()?;
        principal::portrait(case.claims, case.issuer?, self.grants(), (digest, expires))
    }
}

/// Name, rule and expectation of what is judged as a whole.
const OPAQUE: [&str; 3] = [
    "introspection",
    "RFC 7662 section 2.2",
    "active, for this server",
];
const KEY: [&str; 3] = ["API key", "docs/configuration.md", "a key of this server"];

fn form(parsed: &Result<(), Unverified>) -> Finding {
    Finding {
        name: "form",
        rule: "RFC 7519 section 7.2",
        outcome: outcome(parsed),
        expected: "a signed JWT".to_owned(),
        got: match parsed {
            Ok(()) => "a signed JWT".to_owned(),
            Err(refused) => refused.to_string(),
        },
    }
}

fn outcome(judged: &Result<(), Unverified>) -> Outcome {
    match judged {
        Ok(()) => Outcome::Passed,
        Err(refused) => Outcome::Failed(refused.result()),
    }
}

fn judged(check: &Check, case: &Case<'_>) -> Finding {
    let outcome = match (check.basis, case.issuer) {
        (Basis::Issuer, None) => Outcome::Unjudged,
        (Basis::Issuer, Some(_)) | (Basis::Server, _) => outcome(&(check.judge)(case)),
    };
    Finding {
        name: check.name,
        rule: check.rule,
        outcome,
        expected: (check.expected)(case),
        got: (check.got)(case),
    }
}

/// What the server wants a token to be bound to. Whether its sender has the keys cannot be seen from a token.
fn constraint(case: &Case<'_>) -> Finding {
    let wanted = case.audience.sender_constraint;
    let bound = Confirmation::read(case.claims);
    let outcome = match &bound {
        Ok(bound) => outcome(&principal::satisfies(bound, wanted)),
        Err(_) => Outcome::Unjudged,
    };
    let bound = bound.unwrap_or_default();
    Finding {
        name: "sender",
        rule: "RFC 9700 section 2.2.1",
        outcome,
        expected: match wanted {
            SenderConstraint::Any => "any",
            SenderConstraint::Dpop => "bound to a key",
            SenderConstraint::Mtls => "bound to a certificate",
            SenderConstraint::DpopOrMtls => "bound to a key or a certificate",
        }
        .to_owned(),
        got: match (bound.key, bound.certificate) {
            (None, None) => "bound to nothing",
            (Some(_), None) => "bound to a key",
            (None, Some(_)) => "bound to a certificate",
            (Some(_), Some(_)) => "bound to a key and a certificate",
        }
        .to_owned(),
    }
}

/// Key and signature.
async fn proof(keys: Option<&Arc<IssuerKeys>>, jwt: &Jwt<'_>) -> [Finding; 2] {
    let proven = match keys {
        Some(keys) => keys.prove(jwt).await.map(drop).map_err(Some),
        None => Err(None),
    };
    let (key, signature) = match &proven {
        Ok(()) => (Outcome::Passed, Outcome::Passed),
        Err(None) => (Outcome::Unjudged, Outcome::Unjudged),
        Err(Some(bad @ Unverified::BadSignature { .. })) => {
            (Outcome::Passed, Outcome::Failed(bad.result()))
        }
        Err(Some(other)) => (Outcome::Failed(other.result()), Outcome::Unjudged),
    };
    let named = jwt.header().key_id.as_deref();
    let named = named.map_or_else(|| "(none)".to_owned(), shown);
    let unfetched = match &proven {
        Err(Some(Unverified::KeysUnavailable { .. })) => keys.and_then(|keys| keys.last_failure()),
        Ok(()) | Err(_) => None,
    };
    let algorithm = jwt.header().algorithm.name();
    let got = match signature {
        Outcome::Passed => "made with that key",
        Outcome::Failed(_) => "not made with that key",
        Outcome::Unjudged => "not tried",
    };
    [
        Finding {
            name: "key",
            rule: "RFC 7515 section 4.1.4",
            outcome: key,
            expected: format!("a key of the issuer for {algorithm}"),
            got: unfetched.map_or(named, |why| format!("no keys: {}", chain(&*why))),
        },
        Finding {
            name: "signature",
            rule: "RFC 7515 section 5.2",
            outcome: signature,
            expected: "made with that key".to_owned(),
            got: got.to_owned(),
        },
    ]
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
