//! What fuzzing does with challenges: whatever the configuration accepts, a strict reader reads back. Never part of a
//! gateway that serves.

use std::path::Path;

use super::challenge::{Asked, challenges};
use super::route;
use crate::config::{Server, Settings, load};
use crate::decision::freshness::StepUp;
use crate::identity::binding::ALGORITHMS;
use crate::model::Reason;
use crate::telemetry::Scheme;

#[path = "../../tests/served/grammar.rs"]
mod grammar;

/// Takes lines for a path, contexts of authentication and scopes. Says whether the configuration accepted them; then
/// every challenge must say exactly what it was given.
pub fn www_authenticate(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let path = format!("/{}", lines.next().unwrap_or_default());
    let acr: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let scopes: Vec<&str> = lines.collect();
    let Some(settings) = accepted(&path, &acr, &scopes) else {
        return false;
    };
    for server in &settings.servers {
        for reason in REASONS {
            for scheme in [Scheme::Bearer, Scheme::Dpop] {
                read_back(&settings, server, (reason, scheme));
            }
        }
    }
    true
}

/// The settings of a file with these values, if it has no mistake.
fn accepted(path: &str, acr: &[&str], scopes: &[&str]) -> Option<Settings> {
    // YAML reads strings of JSON as they are written.
    let file = serde_json::json!({
        "version": 1,
        "public_url": "https://mcp.example.com",
        "issuers": [{"name": "corp", "url": "https://auth.example.com"}],
        "servers": [{
            "name": "crm", "path": path, "upstream": "http://127.0.0.1:3000/mcp",
            "scopes": scopes, "acr": acr, "max_auth_age": "10m",
        }],
        "policy": {"roles": {"analyst": {"crm": ["search_*"]}}},
    });
    load::parse(&file.to_string(), Path::new("gatewright.yaml"), &|_| None).ok()
}

fn read_back(settings: &Settings, server: &Server, (reason, scheme): (Reason, Scheme)) {
    let step_up = StepUp {
        acr: server.demands.server.acr.clone(),
        max_age: server.demands.server.max_auth_age,
    };
    let scopes = &server.audience.scopes;
    let asked = Asked {
        reason,
        scheme,
        wanted: scopes,
        step_up: Some(&step_up),
    };
    let url = route::metadata_url(settings, server);
    let Some((_, lines)) = challenges(&asked, &server.audience, &url) else {
        return;
    };
    for line in lines {
        let read = grammar::challenges(&line);
        let [challenge] = read.as_deref().unwrap_or_default() else {
            panic_on(&line);
            continue;
        };
        assert_eq!(challenge.parameter("resource_metadata"), Some(url.as_str()));
        let says = |name: &str, values: &[String]| {
            if let Some(text) = challenge.parameter(name) {
                assert_eq!(text, values.join(" "), "{line}");
                assert_eq!(text.split(' ').count(), values.len(), "{line}");
            }
        };
        says("scope", scopes);
        says("acr_values", &step_up.acr);
        let algorithms = (challenge.scheme == "DPoP").then_some(ALGORITHMS);
        assert_eq!(challenge.parameter("algs"), algorithms);
    }
}

fn panic_on(line: &str) {
    assert!(line.is_empty(), "not one challenge: {line}");
}

const REASONS: [Reason; 7] = [
    Reason::CredentialMissing,
    Reason::TokenInvalid,
    Reason::CredentialDuplicated,
    Reason::DpopProofInvalid,
    Reason::DpopNonceRequired,
    Reason::AuthenticationStale,
    Reason::ScopeInsufficient,
];

#[cfg(test)]
mod tests {
    use super::www_authenticate;
    use crate::identity::fuzzing::seeds;
    use crate::mcp::fuzzing::{listing, sse};

    #[test]
    fn u02_seeds_of_streams_and_their_changes_pass_the_same_however_they_are_cut() {
        let (seeds, mutations) = seeds::with_mutations("sse", 3000);
        assert!(seeds.iter().all(|seed| sse(seed)), "a seed is not read");
        let read = mutations.iter().filter(|bytes| sse(bytes)).count();
        assert!(read > 200 && read < 3000, "{read}");
    }

    #[test]
    fn u12_seeds_of_lists_and_their_changes_show_only_what_is_allowed() {
        let (seeds, mutations) = seeds::with_mutations("listing", 5000);
        let passed = seeds.iter().filter(|seed| listing(seed)).count();
        assert!(passed >= 4, "{passed} seeds pass");
        let passed = mutations.iter().filter(|bytes| listing(bytes)).count();
        assert!(passed > 100 && passed < 5000, "{passed}");
    }

    #[test]
    fn j58_a_challenge_reads_back_to_what_was_configured() {
        let (seeds, mutations) = seeds::with_mutations("www_authenticate", 3000);
        let accepted = seeds.iter().filter(|seed| www_authenticate(seed)).count();
        assert!(accepted > 0 && accepted < seeds.len());
        let accepted = mutations.iter().filter(|bytes| www_authenticate(bytes));
        assert!(accepted.count() > 300, "the configuration refuses them all");
    }
}
