//! No change of a good token is accepted: whoever holds one token holds that one and no other.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::support::{Scene, TestKey, encode, key_set, with};

/// One change of a token.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    /// A part of another good token in the place of the same part.
    Splice(usize),
    /// The head of one token and the tail of another.
    Cross(prop::sample::Index),
    /// A part in another alphabet, or with padding.
    Reencode(usize, bool),
    Cut(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Change> {
    let at = || any::<prop::sample::Index>();
    // What a header line can carry, so that the change reaches the token's reader.
    let byte = || 0x21_u8..0x7f;
    prop_oneof![
        4 => (at(), byte()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        2 => (at(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => at().prop_map(Change::Delete),
        2 => (at(), at()).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => (0_usize..3).prop_map(Change::Splice),
        1 => at().prop_map(Change::Cross),
        1 => (0_usize..3, any::<bool>()).prop_map(|(part, url)| Change::Reencode(part, url)),
        1 => at().prop_map(Change::Cut),
    ]
}

impl Change {
    fn of(&self, token: &str, other: &str) -> String {
        let mut bytes = token.as_bytes().to_vec();
        let length = bytes.len();
        match self {
            Self::Flip(at, byte) => bytes[at.index(length)] = *byte,
            Self::Insert(at, byte) => bytes.insert(at.index(length + 1), *byte),
            Self::Delete(at) => {
                bytes.remove(at.index(length));
            }
            Self::Swap(one, other) => bytes.swap(one.index(length), other.index(length)),
            Self::Splice(part) => {
                let mut parts: Vec<_> = token.split('.').collect();
                parts[*part] = other.split('.').nth(*part).unwrap();
                return parts.join(".");
            }
            Self::Cross(at) => {
                let at = at.index(length.min(other.len()));
                return [token.split_at(at).0, other.split_at(at).1].concat();
            }
            Self::Reencode(part, url) => {
                let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
                let padded = format!(
                    "{}{}",
                    parts[*part],
                    "=".repeat((4 - parts[*part].len() % 4) % 4)
                );
                let decoded = URL_SAFE.decode(padded).unwrap();
                parts[*part] = if *url {
                    URL_SAFE.encode(decoded)
                } else {
                    STANDARD.encode(decoded)
                };
                return parts.join(".");
            }
            Self::Cut(at) => bytes.truncate(at.index(length)),
        }
        String::from_utf8(bytes).unwrap()
    }
}

/// The same cases each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn j36_no_mutation_of_a_good_token_is_accepted() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let scene = runtime.block_on(Scene::new());
    let second = TestKey::ed25519();
    let set = key_set(&[scene.key.jwk("k1"), second.jwk("k2")]);
    scene.pond.page("/jwks", 200, set.to_string());
    let claims = with(&scene.claims(), &json!({"sub": "bob", "jti": "t2"}));
    let tokens = [
        scene.token(),
        scene.key.sign(&scene.header(), &claims),
        second.sign(
            &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k2"}),
            &scene.claims(),
        ),
    ];
    for token in &tokens {
        assert_eq!(runtime.block_on(scene.result(token)), "ok");
    }
    let picks = (0..tokens.len(), 0..tokens.len(), changes());
    runner(6000)
        .run(&picks, |(one, other, change)| {
            let changed = change.of(&tokens[one], &tokens[other]);
            if !tokens.contains(&changed) {
                let result = runtime.block_on(scene.result(&changed));
                prop_assert_ne!(result, "ok", "{}", changed);
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn j36_every_single_bit_of_a_token_counts() {
    let scene = Scene::new().await;
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if bytes[at].is_ascii_graphic() {
                let changed = String::from_utf8(bytes).unwrap();
                assert_ne!(scene.result(&changed).await, "ok", "{at} {bit}");
            }
        }
    }
    let parts: Vec<_> = token.split('.').collect();
    let claims = scene.claims().to_string();
    for spaced in [format!(" {claims}"), format!("{claims}\n")] {
        let changed = format!("{}.{}.{}", parts[0], encode(spaced.as_bytes()), parts[2]);
        assert_eq!(scene.result(&changed).await, "bad_signature");
    }
}
