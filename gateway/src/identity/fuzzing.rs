//! What fuzzing does with tokens and keys: any bytes are read, and what was read keeps its promises. Never part of a
//! gateway that serves.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::binding::Thumbprint;
use super::binding::dpop::{self, Expected, TimeFrame};
use super::credential::{ApiKeyHeader, Credential, present};
use super::error::ProofFault;
use super::keys::KeySet;
use super::principal;
use super::settings::{Audience, IssuerSettings, KeySource, SignatureAlgorithm};
use super::token::checks::{CHECKS, Case, judge};
use super::token::jws::Jws;
use super::token::jwt::{Header, Jwt};
use crate::model::{Digest, IssuerUrl, UnixTime};

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Nothing could be read.
    Nothing,
    /// A key set or a signed text.
    Read,
    /// A token, and every check was judged.
    Judged,
    /// A token that passed every check but its signature.
    Passed,
}

/// Reads the first line as a key set and the rest, or everything, as a token.
pub fn jose(bytes: &[u8]) -> Depth {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (first, second) = (lines.next().unwrap_or_default(), lines.next());
    let keys = second.and_then(|_| KeySet::parse(first).ok());
    if let Some(keys) = &keys {
        assert!((1..=100).contains(&keys.len()));
    }
    let of_keys = keys.as_ref().map_or(Depth::Nothing, |_| Depth::Read);
    let Ok(text) = std::str::from_utf8(second.unwrap_or(first)) else {
        return of_keys;
    };
    credential(text);
    of_keys.max(token(text.trim_end(), keys.as_ref()))
}

fn credential(text: &str) {
    let Ok(line) = HeaderValue::from_str(&format!("Bearer {text}")) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, line);
    // INVARIANT: what is presented is printed as `(..)`, whatever it is.
    if let Ok(credential) = present(&headers, None, 8192, ApiKeyHeader::Ignored) {
        assert!(format!("{credential:?}").ends_with("((..))"));
    }
}

fn token(text: &str, keys: Option<&KeySet>) -> Depth {
    let Ok(jws) = Jws::parse(text) else {
        return Depth::Nothing;
    };
    has_one_spelling(text);
    if let Ok(header) = Header::read(jws.header()) {
        let key = keys.and_then(|keys| keys.select(header.key_id.as_deref(), header.algorithm));
        // Nobody knows the answer; it must only come.
        let _ = key.map(|key| jws.is_signed_by(key, header.algorithm));
    }
    match Jwt::parse(text) {
        Ok(jwt) => judged(&jwt),
        Err(_) => Depth::Read,
    }
}

/// Reads any bytes as the proof of a request. What passes is by one key, of one spelling.
pub fn dpop_proof(bytes: &[u8]) -> Depth {
    let Ok(line) = HeaderValue::from_bytes(bytes) else {
        return Depth::Nothing;
    };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("DPoP token"));
    headers.insert("dpop", line);
    let Ok(Credential::Dpop(token, proof)) = present(&headers, None, 8192, ApiKeyHeader::Ignored)
    else {
        return Depth::Nothing;
    };
    let expected = Expected {
        method: "POST",
        resource: RESOURCE,
        token: &token,
        time: TimeFrame {
            now: UnixTime::from_seconds(1_800_000_000),
            window: Duration::from_secs(300),
        },
    };
    match dpop::check(&proof, &expected) {
        Ok(proven) => {
            assert_eq!(Thumbprint::parse(proven.key.as_str()), Some(proven.key));
            Depth::Passed
        }
        Err(ProofFault::Malformed { .. } | ProofFault::Several | ProofFault::Missing) => {
            Depth::Nothing
        }
        Err(ProofFault::BadSignature) => Depth::Judged,
        Err(_) => Depth::Read,
    }
}

/// What was taken apart gives the same text when it is put together: there is no second text of a token.
fn has_one_spelling(text: &str) {
    for part in text.split('.') {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), part);
    }
}

fn judged(jwt: &Jwt<'_>) -> Depth {
    let (issuer, audience) = (issuer(), audience());
    let case = Case {
        header: jwt.header(),
        claims: jwt.claims(),
        audience: &audience,
        issuer: Some(&issuer),
        now: UnixTime::from_seconds(1_800_000_000),
    };
    let mut is_good = true;
    for check in &CHECKS {
        for shown in [(check.expected)(&case), (check.got)(&case)] {
            assert!(shown.len() < 2000 && shown.is_ascii());
            assert!(!shown.contains(|character: char| character.is_ascii_control()));
        }
        is_good &= (check.judge)(&case).is_ok();
    }
    assert_eq!(is_good, judge(&case).is_ok());
    let digest = Digest::of(b"");
    let portrait = principal::portrait(jwt.claims(), &issuer, &[], (digest, case.now));
    if is_good {
        assert!(portrait.is_some(), "what passes every check is somebody");
        Depth::Passed
    } else {
        Depth::Judged
    }
}

fn issuer() -> IssuerSettings {
    IssuerSettings {
        algorithms: SignatureAlgorithm::ALL.to_vec(),
        token_types: vec!["at+jwt".to_owned(), "JWT".to_owned()],
        roles_claim: vec!["realm_access".to_owned(), "roles".to_owned()],
        model_claim: Some("agent_model".to_owned()),
        ..IssuerSettings::new("corp", ISSUER, KeySource::Discovery)
    }
}

fn audience() -> Audience {
    Audience::new("crm", RESOURCE, vec![IssuerUrl::new(ISSUER)])
}

const ISSUER: &str = "https://auth.example.com";
const RESOURCE: &str = "https://mcp.example.com/crm/mcp";

/// The seeds of a target, and changes of them that are the same each time.
#[cfg(test)]
pub(crate) mod seeds {
    use std::path::Path;

    /// Every seed in `fuzz/seeds`, then `count` changes.
    pub(crate) fn with_mutations(target: &str, count: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let entries = std::fs::read_dir(folder.join(target)).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |file: &std::path::PathBuf| std::fs::read(file).unwrap();
        let seeds: Vec<_> = files.iter().map(read).collect();
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let mutations = (0..count).map(|_| mutated(&seeds, &mut state)).collect();
        (seeds, mutations)
    }

    fn mutated(seeds: &[Vec<u8>], state: &mut u64) -> Vec<u8> {
        let mut bytes = seeds[below(state, seeds.len())].clone();
        for _ in 0..=below(state, 4) {
            let at = below(state, bytes.len() + 1);
            let byte = u8::try_from(below(state, 256)).unwrap();
            match below(state, 5) {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                _ => {
                    let other = &seeds[below(state, seeds.len())];
                    let from = below(state, other.len() + 1);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
            }
        }
        bytes
    }

    /// xorshift64: quick, and the same each time.
    fn below(state: &mut u64, end: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::{Depth, dpop_proof, jose, seeds};

    #[test]
    fn j38_seeds_and_their_changes_are_read_without_harm() {
        let (seeds, mutations) = seeds::with_mutations("jose", 5000);
        let reached = seeds.iter().map(|seed| jose(seed)).max();
        assert_eq!(reached, Some(Depth::Passed), "no seed comes through");
        let read = mutations
            .iter()
            .filter(|bytes| jose(bytes) > Depth::Nothing);
        assert!(read.count() > 200, "the changes all stop at the first byte");
    }

    #[test]
    fn d02_seeds_and_their_changes_are_read_without_harm() {
        let (seeds, mutations) = seeds::with_mutations("dpop_proof", 5000);
        let reached = seeds.iter().map(|seed| dpop_proof(seed)).max();
        assert_eq!(reached, Some(Depth::Passed), "no seed comes through");
        let read = mutations
            .iter()
            .map(|bytes| dpop_proof(bytes))
            .filter(|depth| *depth > Depth::Nothing);
        assert!(read.count() > 20, "the changes all stop at the first byte");
        let passed = mutations
            .iter()
            .filter(|bytes| dpop_proof(bytes) == Depth::Passed && !seeds.contains(bytes));
        assert_eq!(passed.count(), 0, "a changed proof is no proof");
    }
}
