//! Wycheproof's vectors for JSON Web Signatures and Keys against what reads, selects and verifies here. What we leave
//! out is counted, each with its reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::identity::keys::KeySet;
use crate::identity::token::jws::Jws;
use crate::identity::token::jwt::Header;

fn corpus(name: &str) -> Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the corpus lies is no setting of the gateway"
    )]
    let root = std::env::var_os("GATEWRIGHT_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora")),
        PathBuf::from,
    );
    let file = root.join("wycheproof").join(name);
    let text = std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: set GATEWRIGHT_CORPORA", file.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The keys of a group, as an issuer would publish them.
fn published(group: &Value) -> Value {
    let key = group.get("public").unwrap_or(&group["private"]);
    if key.get("keys").is_some() {
        key.clone()
    } else {
        serde_json::json!({ "keys": [key] })
    }
}

fn accepts(keys: &Value, jws: &str) -> bool {
    let Ok(set) = KeySet::parse(keys.to_string().as_bytes()) else {
        return false;
    };
    let Ok(jws) = Jws::parse(jws) else {
        return false;
    };
    let Ok(header) = Header::read(jws.header()) else {
        return false;
    };
    set.select(header.key_id.as_deref(), header.algorithm)
        .is_some_and(|key| jws.is_signed_by(key, header.algorithm))
}

/// Why a valid vector is not accepted here, if we mean that.
fn left_out(keys: &Value, test: &Value) -> Option<&'static str> {
    if test.get("jwe").is_some() {
        return Some("encrypted");
    }
    let is = |member: &str, value: &str| {
        let keys = keys["keys"].as_array().unwrap();
        keys.iter().any(|key| key[member] == value)
    };
    let comment = test["comment"].as_str().unwrap();
    if is("kty", "oct") {
        Some("symmetric")
    } else if is("crv", "P-521") {
        Some("on a curve that is not taken")
    } else if comment == "Figure20" && is("alg", "PS256") {
        Some("signed with PS384 by a key that says PS256")
    } else {
        None
    }
}

/// How many vectors were accepted, refused, and left out for which reason.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused: usize,
    left_out: BTreeMap<&'static str, usize>,
}

fn run(name: &str) -> Count {
    let corpus = corpus(name);
    let mut count = Count::default();
    let mut total = 0;
    for group in corpus["testGroups"].as_array().unwrap() {
        let keys = published(group);
        for test in group["tests"].as_array().unwrap() {
            total += 1;
            let told = format!("{name} {} {}", test["tcId"], test["comment"]);
            let text = test.get("jws").unwrap_or(&test["jwe"]);
            let accepted = accepts(
                &keys,
                &text
                    .as_str()
                    .map_or_else(|| text.to_string(), str::to_owned),
            );
            let is_valid = test["result"] == "valid";
            match (is_valid, left_out(&keys, test)) {
                (true, Some(why)) => {
                    assert!(!accepted, "{told}: {why}");
                    *count.left_out.entry(why).or_default() += 1;
                }
                (true, None) => {
                    assert!(accepted, "{told}");
                    count.accepted += 1;
                }
                (false, _) => {
                    assert!(!accepted, "{told}");
                    count.refused += 1;
                }
            }
        }
    }
    assert_eq!(corpus["numberOfTests"], total, "every vector was read");
    count
}

#[test]
fn j07_the_corpus_of_signatures_is_judged_right() {
    let count = run("json_web_signature_test.json");
    let left_out = BTreeMap::from([
        ("symmetric", 10),
        ("on a curve that is not taken", 2),
        ("signed with PS384 by a key that says PS256", 2),
    ]);
    let expected = Count {
        accepted: 32,
        refused: 355,
        left_out,
    };
    assert_eq!(count, expected);
}

#[test]
fn j33_the_corpus_of_signed_and_encrypted_objects_is_judged_right() {
    let count = run("json_web_crypto_test.json");
    let expected = Count {
        accepted: 2,
        refused: 77,
        left_out: BTreeMap::from([("symmetric", 2), ("encrypted", 2)]),
    };
    assert_eq!(count, expected);
}

#[test]
fn j06_the_corpus_of_keys_is_judged_right() {
    let count = run("json_web_key_test.json");
    let expected = Count {
        accepted: 1,
        refused: 21,
        left_out: BTreeMap::from([("symmetric", 4)]),
    };
    assert_eq!(count, expected);
}
