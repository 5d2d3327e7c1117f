//! Which keys of a published set are used.

use serde_json::{Value, json};

use super::support::{TestKey, encode, key_set, with};
use crate::identity::keys::KeySet;
use crate::identity::settings::SignatureAlgorithm;

fn parse(keys: &[Value]) -> Option<KeySet> {
    KeySet::parse(key_set(keys).to_string().as_bytes()).ok()
}

fn rsa(bytes: usize, first: u8, exponent: &[u8]) -> Value {
    let mut modulus = vec![0xff; bytes];
    modulus[0] = first;
    json!({"kty": "RSA", "kid": "r", "n": encode(&modulus), "e": encode(exponent)})
}

#[test]
fn a_good_key_is_used_and_an_odd_one_beside_it_ignored() {
    let good = TestKey::p256().jwk("good");
    for odd in [
        json!("key"),
        json!({}),
        json!({"kty": "AKP", "kid": "x"}),
        json!({"kty": "oct", "k": "AAAA"}),
        with(&good, &json!({"kid": 5})),
        with(&good, &json!({"kid": null})),
        with(&good, &json!({"crv": "P-521"})),
        with(&good, &json!({"crv": "secp256k1"})),
        with(&good, &json!({"x": "AAAA"})),
        with(&good, &json!({"y": "!"})),
        with(&good, &json!({"alg": "ES512"})),
        with(&good, &json!({"alg": "RS256"})),
        with(&good, &json!({"alg": 5})),
        with(&good, &json!({"use": null})),
        with(&good, &json!({"key_ops": "verify"})),
        json!({"kty": "OKP", "crv": "X25519", "x": encode(&[1; 32])}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&[1; 31])}),
    ] {
        let set = parse(&[odd.clone(), good.clone()]).unwrap();
        assert_eq!(
            (set.len(), set.ignored().len(), set.is_empty()),
            (1, 1, false),
            "{odd}"
        );
        assert!(
            set.select(Some("good"), SignatureAlgorithm::Es256)
                .is_some()
        );
        assert!(parse(&[odd]).is_none(), "alone it is a set without keys");
    }
}

#[test]
fn j06_a_weak_or_hostile_rsa_key_is_ignored() {
    for good in [
        rsa(256, 0x80, &[1, 0, 1]),
        rsa(1024, 0xff, &[3]),
        rsa(257, 0, &[1, 0, 1]),
    ] {
        let set = parse(&[good]).unwrap();
        assert!(set.select(Some("r"), SignatureAlgorithm::Rs256).is_some());
        assert!(set.select(Some("r"), SignatureAlgorithm::Ps512).is_some());
        assert!(set.select(Some("r"), SignatureAlgorithm::Es256).is_none());
    }
    for bad in [
        rsa(64, 0xff, &[1, 0, 1]),
        rsa(128, 0xff, &[1, 0, 1]),
        rsa(256, 0x7f, &[1, 0, 1]),
        rsa(1025, 1, &[1, 0, 1]),
        rsa(2048, 0xff, &[1, 0, 1]),
        rsa(256, 0xff, &[1]),
        rsa(256, 0xff, &[1, 0, 0]),
        rsa(256, 0xff, &[]),
        rsa(256, 0xff, &[0xff; 8]),
    ] {
        assert!(parse(std::slice::from_ref(&bad)).is_none(), "{}", bad["e"]);
    }
}

#[test]
fn j46_a_private_key_is_ignored() {
    for name in ["d", "p", "k"] {
        let leaked = with(&TestKey::p256().jwk("k1"), &json!({ name: "AAAA" }));
        assert!(parse(&[leaked]).is_none(), "{name}");
    }
}

#[test]
fn j46_the_number_of_keys_is_limited() {
    let keys: Vec<_> = (0..101)
        .map(|number| TestKey::ed25519().jwk(&number.to_string()))
        .collect();
    assert_eq!(parse(&keys[..100]).unwrap().len(), 100);
    assert!(parse(&keys).is_none());
}

#[test]
fn j13_one_name_for_two_keys_is_refused_unless_their_types_differ() {
    let (one, two) = (TestKey::p256().jwk("k"), TestKey::p256().jwk("k"));
    assert!(parse(&[one.clone(), two.clone()]).is_none());
    assert!(parse(&[with(&one, &json!({"alg": "ES256"})), two]).is_none());
    let set = parse(&[one, TestKey::ed25519().jwk("k"), TestKey::p384().jwk("k")]).unwrap();
    assert!(set.select(Some("k"), SignatureAlgorithm::Es256).is_some());
    assert!(set.select(Some("k"), SignatureAlgorithm::EdDsa).is_some());
}

#[test]
fn j37_a_set_with_a_member_twice_is_refused() {
    let text = key_set(&[TestKey::p256().jwk("k")]).to_string();
    assert!(KeySet::parse(text.as_bytes()).is_ok());
    let twice = text.replacen(r#""kid":"k""#, r#""kid":"k","kid":"l""#, 1);
    assert!(KeySet::parse(twice.as_bytes()).is_err());
}
