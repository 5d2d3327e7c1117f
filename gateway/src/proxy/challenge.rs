//! The `WWW-Authenticate` lines (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3, RFC 9728 section 5.1).
//! They hold only configured text.

use crate::decision::freshness::StepUp;
use crate::identity::binding::ALGORITHMS;
use crate::identity::settings::Audience;
use crate::model::Reason;
use crate::telemetry::{Challenge, Scheme};

/// What the challenge of a refusal depends on.
pub(crate) struct Asked<'a> {
    pub(crate) reason: Reason,
    /// The scheme of the credential that was refused.
    pub(crate) scheme: Scheme,
    /// The scopes to ask for.
    pub(crate) wanted: &'a [String],
    pub(crate) step_up: Option<&'a StepUp>,
}

/// The challenges that go with a refusal, one line each. There is no `error_description`: clients have been seen to
/// read parameters out of it. The line with the error stands first, and alone where a scope would help: clients take
/// the first parameter of a name, whichever challenge it belongs to. Else Bearer stands first, because some clients
/// look no further.
pub(crate) fn challenges(
    asked: &Asked<'_>,
    audience: &Audience,
    metadata_url: &str,
) -> Option<(Challenge, Vec<String>)> {
    let challenge = of(asked.reason)?;
    let has_dpop = audience.sender_constraint.takes_dpop();
    let used_dpop = has_dpop && asked.scheme == Scheme::Dpop;
    let line = |scheme, error| line(scheme, error, asked, (audience, metadata_url));
    // RFC 9449 section 7.2: the error stands with the scheme that was used, and with both when that is not clear.
    let lines = match challenge {
        Challenge::Missing if has_dpop => vec![line("Bearer", None), line("DPoP", None)],
        Challenge::Missing => vec![line("Bearer", None)],
        Challenge::InvalidRequest if has_dpop => {
            vec![
                line("Bearer", Some(challenge)),
                line("DPoP", Some(challenge)),
            ]
        }
        Challenge::InsufficientScope if used_dpop => vec![line("DPoP", Some(challenge))],
        Challenge::InsufficientScope | Challenge::InvalidRequest => {
            vec![line("Bearer", Some(challenge))]
        }
        Challenge::InvalidToken
        | Challenge::InvalidProof
        | Challenge::NonceWanted
        | Challenge::StaleLogin => {
            if used_dpop {
                vec![line("DPoP", Some(challenge)), line("Bearer", None)]
            } else if has_dpop {
                vec![line("Bearer", Some(challenge)), line("DPoP", None)]
            } else {
                vec![line("Bearer", Some(challenge))]
            }
        }
    };
    Some((challenge, lines))
}

fn line(
    scheme: &str,
    challenge: Option<Challenge>,
    asked: &Asked<'_>,
    (audience, metadata_url): (&Audience, &str),
) -> String {
    let mut line = format!("{scheme} ");
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            push(&mut line, name, value);
        }
    };
    put("error", challenge.and_then(error).unwrap_or_default());
    if let (Some(Challenge::StaleLogin), Some(step_up)) = (challenge, asked.step_up) {
        put("acr_values", &step_up.acr.join(" "));
        let seconds = step_up.max_age.map(|age| age.as_secs().to_string());
        put("max_age", &seconds.unwrap_or_default());
    }
    let scopes = match challenge {
        Some(Challenge::InsufficientScope) => asked.wanted,
        Some(Challenge::InvalidRequest) => &[],
        _ => audience.scopes.as_slice(),
    };
    let scopes = scopes.join(" ");
    let is_bearer = scheme == "Bearer";
    // Without an error the place to go to comes first.
    if challenge.is_none() {
        put("resource_metadata", metadata_url);
        put("scope", if is_bearer { &scopes } else { "" });
    } else {
        put("scope", &scopes);
        put("resource_metadata", metadata_url);
    }
    if !is_bearer {
        put("algs", ALGORITHMS);
    }
    line
}

fn of(reason: Reason) -> Option<Challenge> {
    let challenges = [
        (Reason::CredentialMissing, Challenge::Missing),
        (Reason::TokenInvalid, Challenge::InvalidToken),
        (Reason::TokenTooOld, Challenge::InvalidToken),
        (Reason::ApiKeySunset, Challenge::InvalidToken),
        (Reason::TokenExpired, Challenge::InvalidToken),
        (Reason::DpopProofInvalid, Challenge::InvalidProof),
        (Reason::DpopNonceRequired, Challenge::NonceWanted),
        (Reason::AuthenticationStale, Challenge::StaleLogin),
        (Reason::CredentialDuplicated, Challenge::InvalidRequest),
        (Reason::CredentialInQuery, Challenge::InvalidRequest),
        (Reason::ScopeInsufficient, Challenge::InsufficientScope),
    ];
    let found = challenges.iter().find(|(of, _)| *of == reason);
    found.map(|(_, challenge)| *challenge)
}

/// RFC 6750 section 3.1: no error code when nothing was presented.
const fn error(challenge: Challenge) -> Option<&'static str> {
    match challenge {
        Challenge::Missing => None,
        Challenge::InvalidToken => Some("invalid_token"),
        Challenge::InvalidProof => Some("invalid_dpop_proof"),
        Challenge::NonceWanted => Some("use_dpop_nonce"),
        Challenge::StaleLogin => Some("insufficient_user_authentication"),
        Challenge::InsufficientScope => Some("insufficient_scope"),
        Challenge::InvalidRequest => Some("invalid_request"),
    }
}

fn push(line: &mut String, name: &str, value: &str) {
    if !line.ends_with(' ') {
        line.push_str(", ");
    }
    line.push_str(name);
    line.push_str("=\"");
    line.push_str(value);
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::{ALGORITHMS, Asked, challenges};
    use crate::identity::settings::Audience;
    use crate::model::Reason;
    use crate::telemetry::Scheme;

    fn audience(scopes: &[&str]) -> Audience {
        Audience {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..Audience::new("crm", "https://gw/crm/mcp", Vec::new())
        }
    }

    fn line(reason: Reason, scopes: &[&str], wanted: &[&str]) -> Option<String> {
        let wanted: Vec<_> = wanted.iter().map(|scope| (*scope).to_owned()).collect();
        let asked = Asked {
            reason,
            scheme: Scheme::Bearer,
            wanted: &wanted,
            step_up: None,
        };
        let (_, lines) = challenges(&asked, &audience(scopes), "https://gw/meta")?;
        lines.into_iter().next()
    }

    #[test]
    fn without_a_credential_there_is_no_error() {
        assert_eq!(
            line(Reason::CredentialMissing, &["crm:read"], &[]).as_deref(),
            Some(r#"Bearer resource_metadata="https://gw/meta", scope="crm:read""#)
        );
        assert_eq!(
            line(Reason::CredentialMissing, &[], &[]).as_deref(),
            Some(r#"Bearer resource_metadata="https://gw/meta""#)
        );
    }

    #[test]
    fn p07_a_missing_scope_names_all_that_are_needed_once() {
        assert_eq!(
            line(Reason::ScopeInsufficient, &[], &["a", "b"]).as_deref(),
            Some(
                r#"Bearer error="insufficient_scope", scope="a b", resource_metadata="https://gw/meta""#
            )
        );
    }

    #[test]
    fn p08_the_scheme_that_was_used_has_the_error_and_stands_first() {
        let lines = |reason, scheme| {
            let wanted = ["a".to_owned()];
            let asked = Asked {
                reason,
                scheme,
                wanted: &wanted,
                step_up: None,
            };
            challenges(&asked, &audience(&["a"]), "https://gw/meta")
                .unwrap()
                .1
        };
        let bearer = r#"Bearer resource_metadata="https://gw/meta", scope="a""#;
        let dpop = format!(r#"DPoP resource_metadata="https://gw/meta", algs="{ALGORITHMS}""#);
        assert_eq!(
            lines(Reason::CredentialMissing, Scheme::None),
            [bearer, &dpop]
        );
        let refused = format!(
            r#"DPoP error="invalid_dpop_proof", scope="a", resource_metadata="https://gw/meta", algs="{ALGORITHMS}""#
        );
        assert_eq!(
            lines(Reason::DpopProofInvalid, Scheme::Dpop),
            [refused.as_str(), bearer]
        );
        let wrong = lines(Reason::TokenInvalid, Scheme::Bearer);
        assert!(
            wrong[0].starts_with(r#"Bearer error="invalid_token""#),
            "{wrong:?}"
        );
        assert_eq!(wrong[1], dpop);
        let scope = lines(Reason::ScopeInsufficient, Scheme::Dpop);
        assert_eq!(scope.len(), 1);
        assert!(scope[0].starts_with(r#"DPoP error="insufficient_scope", scope="a""#));
    }

    #[test]
    fn a_denial_that_no_scope_can_help_has_no_challenge() {
        assert_eq!(line(Reason::ToolNotAllowed, &["a"], &[]), None);
        assert_eq!(line(Reason::IssuerKeysUnavailable, &["a"], &[]), None);
    }
}
