//! Keys as JSON, and their thumbprints (RFC 7638): the published ones, and one for each way to write a key.

use serde_json::{Value, json};

use super::dpop::public;
use super::support::{TestKey, encode, with};
use crate::identity::keys::{Jwk, JwkFault};
use crate::model::Digest;

fn thumbprint(key: &Value) -> String {
    encode(Jwk::read(key).unwrap().thumbprint().as_bytes())
}

fn rfc_7638() -> Value {
    json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
    })
}

#[test]
fn d23_the_published_thumbprints_are_worked_out() {
    assert_eq!(
        thumbprint(&rfc_7638()),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "RFC 7638 section 3.1"
    );
    let okp = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    assert_eq!(
        thumbprint(&okp),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "RFC 8037 appendix A.3"
    );
    let ec = json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    });
    assert_eq!(
        thumbprint(&ec),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "RFC 9449 section 6.1"
    );
    let p384 = public(&TestKey::p384());
    let (x, y) = (p384["x"].as_str().unwrap(), p384["y"].as_str().unwrap());
    let text = format!(r#"{{"crv":"P-384","kty":"EC","x":"{x}","y":"{y}"}}"#);
    assert_eq!(
        thumbprint(&p384),
        encode(Digest::of(text.as_bytes()).as_bytes())
    );
}

#[test]
fn d23_further_members_and_their_order_change_no_thumbprint() {
    let key = public(&TestKey::p256());
    let more = with(
        &key,
        &json!({"kid": "k", "use": "sig", "key_ops": ["verify"], "ext": true, "alg": "ES256"}),
    );
    assert_eq!(thumbprint(&more), thumbprint(&key));
    let text = format!(
        r#"{{"y":{},"x":{},"kty":"EC","crv":"P-256"}}"#,
        key["y"], key["x"]
    );
    assert_eq!(
        thumbprint(&serde_json::from_str(&text).unwrap()),
        thumbprint(&key)
    );
}

#[test]
fn d23_a_number_with_a_byte_more_or_less_is_refused() {
    for bytes in [31, 33] {
        for member in ["x", "y"] {
            let bent = with(
                &public(&TestKey::p256()),
                &json!({ member: encode(&vec![1; bytes]) }),
            );
            assert!(matches!(Jwk::read(&bent), Err(JwkFault::Unfit(_))));
        }
        let bent = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&vec![1; bytes])});
        assert!(matches!(Jwk::read(&bent), Err(JwkFault::Unfit(_))));
    }
    let good = rfc_7638();
    let key = Jwk::read(&good).unwrap();
    assert!(key.is_spelled_so_in(&good));
    let padded = with(&good, &json!({"e": encode(&[0, 1, 0, 1])}));
    let key = Jwk::read(&padded).unwrap();
    assert!(!key.is_spelled_so_in(&padded), "proofs are refused with it");
    assert_eq!(thumbprint(&padded), thumbprint(&good), "but it is one key");
}

#[test]
fn d23_a_number_with_padding_or_with_unused_bits_is_refused() {
    // The text goes into the thumbprint as it is: there must be no second one for the same bytes.
    let edwards = public(&TestKey::ed25519());
    for (key, member) in [(&edwards, "x"), (&rfc_7638(), "n")] {
        assert!(Jwk::read(key).is_ok());
        let text = key[member].as_str().unwrap();
        let last = text.chars().last().unwrap();
        let bent = format!("{}{}", text.strip_suffix(last).unwrap(), after(last));
        for other in [format!("{text}="), format!("{text}=="), bent] {
            let bent = with(key, &json!({ member: other }));
            assert!(
                matches!(Jwk::read(&bent), Err(JwkFault::Unfit(_))),
                "{other}"
            );
        }
    }
}

/// The next character of base64url: one bit more, where the last character leaves bits unused.
fn after(last: char) -> char {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = DIGITS.find(last).unwrap();
    DIGITS.chars().nth(place + 1).unwrap()
}
