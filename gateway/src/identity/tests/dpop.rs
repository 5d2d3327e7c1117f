//! One proof against one request: each of the checks of RFC 9449 section 4.3, and what gets past none of them.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::support::{NOW, RESOURCE, TestKey, encode, with};
use crate::identity::binding::dpop::{Expected, TimeFrame, check};
use crate::identity::credential::{ApiKeyHeader, Credential, present};
use crate::identity::error::ProofFault;
use crate::model::{Digest, UnixTime};

/// What a client sends as `token` with these `DPoP` lines.
pub(super) fn presented(token: &str, proofs: &[&str]) -> Credential {
    let mut headers = HeaderMap::new();
    let line = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    headers.insert(AUTHORIZATION, line(&format!("DPoP {token}")));
    for proof in proofs {
        headers.append("dpop", line(proof));
    }
    present(&headers, None, 64 * 1024, ApiKeyHeader::Ignored).unwrap()
}

/// The public half of `key` as a proof carries it.
pub(super) fn public(key: &TestKey) -> Value {
    with(&key.jwk("-"), &json!({"kid": "-"}))
}

pub(super) fn header(key: &TestKey) -> Value {
    json!({"typ": "dpop+jwt", "alg": key.algorithm(), "jwk": public(key)})
}

/// The claims of a good proof for `token`.
pub(super) fn claims(token: &str) -> Value {
    json!({
        "jti": "p1", "htm": "POST", "htu": RESOURCE, "iat": NOW,
        "ath": encode(Digest::of(token.as_bytes()).as_bytes()),
    })
}

const TOKEN: &str = "the.access.token";

/// What becomes of these `DPoP` lines; the thumbprint of the key when they are good.
fn judged_at(proofs: &[&str], now: u64, method: &str, resource: &str) -> Result<String, String> {
    judged_for(&presented(TOKEN, proofs), now, method, resource)
}

fn judged_for(
    credential: &Credential,
    now: u64,
    method: &str,
    resource: &str,
) -> Result<String, String> {
    let Credential::Dpop(token, proof) = credential else {
        panic!("not DPoP")
    };
    let time = TimeFrame {
        now: UnixTime::from_seconds(now),
        window: Duration::from_secs(300),
    };
    let expected = Expected {
        method,
        resource,
        token,
        time,
    };
    match check(proof, &expected) {
        Ok(proven) => Ok(proven.key.as_str().to_owned()),
        Err(fault) => {
            let text = fault.to_string();
            assert!(text.is_ascii(), "{text}");
            Err(text)
        }
    }
}

fn judged(proof: &str) -> Result<String, String> {
    judged_at(&[proof], NOW, "POST", RESOURCE)
}

/// A good proof with its header and claims changed.
fn bent(key: &TestKey, of_header: &Value, of_claims: &Value) -> String {
    key.sign(
        &with(&header(key), of_header),
        &with(&claims(TOKEN), of_claims),
    )
}

fn headed(change: &Value) -> Result<String, String> {
    judged(&bent(&TestKey::p256(), change, &json!({})))
}

fn claimed(change: &Value) -> Result<String, String> {
    judged(&bent(&TestKey::p256(), &json!({}), change))
}

#[track_caller]
fn assert_fault(judged: &Result<String, String>, beginning: &str) {
    let fault = judged.as_ref().expect_err("should be refused");
    assert!(fault.starts_with(beginning), "{fault}");
}

#[test]
fn the_example_of_rfc_9449_section_7_1_is_good() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let resource = "https://resource.example.org/protectedresource";
    let credential = presented(token, &[proof]);
    assert_eq!(
        judged_for(&credential, 1_562_262_618, "GET", resource).unwrap(),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "the thumbprint of section 6.1"
    );
}

#[test]
fn a_good_proof_of_every_kind_of_key_is_taken() {
    for key in [TestKey::p256(), TestKey::p384(), TestKey::ed25519()] {
        let proof = bent(&key, &json!({}), &json!({}));
        assert!(judged(&proof).is_ok(), "{}", key.algorithm());
    }
    let rsa: Value = serde_json::from_str(include_str!("dpop_rsa.json")).unwrap();
    for algorithm in ["PS256", "RS256"] {
        let taken = judged(rsa[algorithm].as_str().unwrap());
        assert_eq!(taken.as_deref(), Ok(rsa["jkt"].as_str().unwrap()));
    }
}

#[test]
fn d01_more_than_one_proof_is_refused() {
    let proof = bent(&TestKey::p256(), &json!({}), &json!({}));
    let judged = |proofs: &[&str]| judged_at(proofs, NOW, "POST", RESOURCE);
    assert!(judged(&[&proof]).is_ok());
    assert_fault(&judged(&[&proof, &proof]), "more than one");
    assert_fault(&judged(&[&format!("{proof}, {proof}")]), "more than one");
    assert_fault(&judged(&[&proof, ""]), "more than one");
}

#[test]
fn d02_what_is_not_one_jwt_is_refused() {
    let proof = bent(&TestKey::p256(), &json!({}), &json!({}));
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let parts: Vec<_> = proof.split('.').collect();
    for odd in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{proof}.x"),
        format!("{proof}.x.y"),
        format!("{proof} {proof}"),
        format!("{proof}="),
        format!("Bearer {proof}"),
        format!("{}..{signature}", parts[0]),
        json!({"payload": parts[1]}).to_string(),
        "A".repeat(100_000),
    ] {
        assert_fault(&judged(&odd), "malformed");
    }
    for extension in ["crit", "b64", "zip", "enc"] {
        assert_fault(&headed(&json!({ extension: true })), "malformed");
    }
    assert_fault(&headed(&json!({"cty": "JWT"})), "malformed");
    let key = TestKey::p256();
    let twice = claims(TOKEN)
        .to_string()
        .replacen(r#""jti":"p1""#, r#""jti":"p1","jti":"p2""#, 1);
    let twice = key.sign_text(&header(&key).to_string(), twice.as_bytes());
    assert_fault(&judged(&twice), "malformed");
}

#[test]
fn d03_a_claim_that_is_missing_or_of_another_type_is_refused() {
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        for value in [
            json!("-"),
            json!(null),
            json!(true),
            json!([]),
            json!({}),
            json!(""),
            json!(["p1"]),
        ] {
            let judged = claimed(&json!({ claim: value }));
            assert_fault(&judged, "malformed");
        }
    }
    for claim in ["jti", "htm", "htu", "ath"] {
        assert_fault(&claimed(&json!({ claim: 5 })), "malformed");
    }
    assert!(claimed(&json!({"nonce": "n", "more": [1]})).is_ok());
    for nonce in [json!(5), json!(null), json!(["n"])] {
        assert_fault(&claimed(&json!({ "nonce": nonce })), "malformed");
    }
}

#[test]
fn d04_what_was_signed_for_another_purpose_is_refused() {
    for good in ["dpop+jwt", "DPoP+JWT", "application/dpop+jwt"] {
        assert!(headed(&json!({ "typ": good })).is_ok(), "{good}");
    }
    for bad in [
        json!("-"),
        json!("JWT"),
        json!("at+jwt"),
        json!("dpop+jwt "),
        json!("dpop+jwt;v=1"),
        json!("dpop"),
        json!(["dpop+jwt"]),
        json!(null),
    ] {
        assert_fault(&headed(&json!({ "typ": bad })), "wrong typ");
    }
}

#[test]
fn d05_an_algorithm_that_is_not_listed_or_is_not_of_the_key_is_refused() {
    for bad in [
        json!("-"),
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("ES256K"),
        json!("ES512"),
        json!("RS1"),
        json!("RS384"),
        json!("PS512"),
        json!("es256"),
        json!(["ES256"]),
        json!(null),
    ] {
        assert_fault(&headed(&json!({ "alg": bad })), "wrong alg");
    }
    for other in ["ES384", "EdDSA", "RS256", "PS256"] {
        assert_fault(&headed(&json!({ "alg": other })), "malformed");
    }
    let rsa: Value = serde_json::from_str(include_str!("dpop_rsa.json")).unwrap();
    assert_fault(&judged(rsa["RS512"].as_str().unwrap()), "wrong alg");

    let key = TestKey::p256();
    let mut forged = public(&key);
    forged["kty"] = json!("oct");
    let text = bent(&key, &json!({"alg": "HS256", "jwk": forged}), &json!({}));
    assert_fault(&judged(&text), "with a private or symmetric key");
}

#[test]
fn d06_a_signature_that_is_not_by_the_key_in_the_header_is_refused() {
    let (key, other) = (TestKey::p256(), TestKey::p256());
    let foreign = bent(&key, &json!({"jwk": public(&other)}), &json!({}));
    assert_fault(&judged(&foreign), "bad signature");

    let good = bent(&key, &json!({}), &json!({}));
    let parts: Vec<_> = good.split('.').collect();
    let changed = encode(
        with(&claims(TOKEN), &json!({"jti": "p2"}))
            .to_string()
            .as_bytes(),
    );
    let modified = format!("{}.{changed}.{}", parts[0], parts[2]);
    assert_fault(&judged(&modified), "bad signature");
    let zero = format!("{}.{}.{}", parts[0], parts[1], encode(&[0; 64]));
    assert_fault(&judged(&zero), "bad signature");

    let off_curve = with(&public(&key), &json!({"y": encode(&[1; 32])}));
    let off_curve = bent(&key, &json!({"jwk": off_curve}), &json!({}));
    assert_fault(&judged(&off_curve), "bad signature");
    for no_key in [
        json!("-"),
        json!(null),
        json!({}),
        json!("x"),
        json!([public(&key)]),
    ] {
        assert_fault(&headed(&json!({"jwk": no_key})), "malformed");
    }
    let rsa: Value = serde_json::from_str(include_str!("dpop_rsa.json")).unwrap();
    assert_fault(
        &judged(rsa["weak"].as_str().unwrap()),
        "malformed: an RSA modulus",
    );
}

#[test]
fn d07_a_private_or_symmetric_key_is_refused_and_never_shown() {
    let key = TestKey::p256();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let leaked = with(&public(&key), &json!({ member: "c2VjcmV0LXZhbHVl" }));
        let judged = judged(&bent(&key, &json!({"jwk": leaked}), &json!({})));
        assert_fault(&judged, "with a private or symmetric key");
        assert!(!judged.unwrap_err().contains("c2VjcmV0"));
    }
    let symmetric = json!({"kty": "oct", "k": "c2VjcmV0LXZhbHVl"});
    let mixed = json!({"jwk": symmetric, "alg": "HS256", "typ": "JWT"});
    assert_fault(&headed(&mixed), "with a private or symmetric key");
    let fault = ProofFault::PrivateKey;
    assert_eq!(
        crate::identity::Unverified::from(fault).result(),
        "dpop_private_key"
    );
}

#[test]
fn d08_another_method_is_refused() {
    for bad in ["GET", "post", "Post", "POST ", " POST", "POST,GET", "*"] {
        assert_fault(&claimed(&json!({ "htm": bad })), "wrong htm");
    }
    let key = TestKey::p256();
    let get = bent(&key, &json!({}), &json!({"htm": "GET"}));
    assert!(judged_at(&[&get], NOW, "GET", RESOURCE).is_ok());
    let posted = bent(&key, &json!({}), &json!({}));
    assert_fault(&judged_at(&[&posted], NOW, "GET", RESOURCE), "wrong htm");
    assert_fault(&judged_at(&[&posted], NOW, "post", RESOURCE), "wrong htm");
}

#[test]
fn d09_another_resource_is_refused() {
    for bad in [
        "https://evil.example/crm/mcp",
        "https://gw.example/billing/mcp",
        "http://gw.example/crm/mcp",
        "https://gw.example:8443/crm/mcp",
        "https://gw.example/crm/mcp?x=1",
        "/crm/mcp",
    ] {
        assert_fault(&claimed(&json!({ "htu": bad })), "wrong htu");
    }
    assert!(claimed(&json!({"htu": format!("{RESOURCE}/")})).is_ok());
    assert!(claimed(&json!({"htu": "HTTPS://GW.example:443/crm/%6dcp"})).is_ok());
}

#[test]
fn d11_a_proof_is_good_within_the_window_either_way() {
    for good in [json!(NOW - 300), json!(NOW + 300), json!(1_800_000_000.5)] {
        assert!(claimed(&json!({ "iat": good })).is_ok(), "{good}");
    }
    for bad in [
        json!(NOW - 301),
        json!(NOW + 301),
        json!(0),
        json!(1_799_999_699.9),
    ] {
        assert_fault(&claimed(&json!({ "iat": bad })), "made at");
    }
    for odd in [json!("1800000000"), json!(-1), json!(1e300), json!("-")] {
        assert_fault(&claimed(&json!({ "iat": odd })), "malformed");
    }
    let key = TestKey::p256();
    let huge = claims(TOKEN).to_string().replace("1800000000", "1e400");
    let huge = key.sign_text(&header(&key).to_string(), huge.as_bytes());
    assert_fault(&judged(&huge), "malformed");
}

#[test]
fn d12_the_hash_of_anything_but_this_token_is_refused() {
    let hash = Digest::of(TOKEN.as_bytes());
    let good = encode(hash.as_bytes());
    assert!(claimed(&json!({ "ath": good })).is_ok());
    for bad in [
        encode(Digest::of(format!("DPoP {TOKEN}").as_bytes()).as_bytes()),
        encode(Digest::of(b"another.token.altogether").as_bytes()),
        format!("{good}="),
        hash.to_string(),
        good.split_at(42).0.to_owned(),
        good.to_lowercase(),
    ] {
        assert_fault(&claimed(&json!({ "ath": bad })), "malformed: `ath`");
    }
}
