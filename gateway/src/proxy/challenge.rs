//! The `WWW-Authenticate` line (RFC 6750 section 3, RFC 9728 section 5.1). Holds only configured text.

use crate::identity::settings::Audience;
use crate::model::Reason;
use crate::telemetry::Challenge;

/// The challenge that goes with `reason`, if one does. Every value is quoted; there is no
/// `error_description`: clients have been seen to read parameters out of it.
pub(crate) fn challenge(
    reason: Reason,
    audience: &Audience,
    metadata_url: &str,
    wanted: &[String],
) -> Option<(Challenge, String)> {
    let challenge = of(reason)?;
    let scopes = match challenge {
        Challenge::Missing | Challenge::InvalidToken => audience.scopes.as_slice(),
        Challenge::InsufficientScope => wanted,
        Challenge::InvalidRequest => &[],
    };
    let mut line = String::from("Bearer ");
    let metadata = ("resource_metadata", metadata_url);
    let scopes = scopes.join(" ");
    let scope = ("scope", scopes.as_str());
    let parameters = match error(challenge) {
        Some(error) => vec![("error", error), scope, metadata],
        None => vec![metadata, scope],
    };
    for (name, value) in parameters
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    {
        push(&mut line, name, value);
    }
    Some((challenge, line))
}

fn of(reason: Reason) -> Option<Challenge> {
    let challenges = [
        (Reason::CredentialMissing, Challenge::Missing),
        (Reason::TokenInvalid, Challenge::InvalidToken),
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
    use super::challenge;
    use crate::identity::settings::Audience;
    use crate::model::{Reason, ServerName};

    fn audience(scopes: &[&str]) -> Audience {
        Audience {
            server: ServerName::new("crm"),
            accepted: Vec::new(),
            issuers: Vec::new(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    fn line(reason: Reason, scopes: &[&str], wanted: &[&str]) -> Option<String> {
        let wanted: Vec<_> = wanted.iter().map(|scope| (*scope).to_owned()).collect();
        challenge(reason, &audience(scopes), "https://gw/meta", &wanted).map(|(_, line)| line)
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
    fn a_missing_scope_names_all_that_are_needed_once() {
        assert_eq!(
            line(Reason::ScopeInsufficient, &[], &["a", "b"]).as_deref(),
            Some(
                r#"Bearer error="insufficient_scope", scope="a b", resource_metadata="https://gw/meta""#
            )
        );
    }

    #[test]
    fn a_denial_that_no_scope_can_help_has_no_challenge() {
        assert_eq!(line(Reason::ToolNotAllowed, &["a"], &[]), None);
        assert_eq!(line(Reason::IssuerKeysUnavailable, &["a"], &[]), None);
    }
}
