//! Rows that need more than one issuer, more than one form, or a server with a certificate of its own.

use std::sync::Arc;

use serde_json::json;

use super::support::{
    NOW, Pond, RESOURCE, Scene, TestKey, audience, credential, encode, granting, key_set,
    publish_metadata, settings, with,
};
use crate::identity::keys::{IssuerKeys, remote};
use crate::identity::settings::Grant;
use crate::identity::verify::Verifier;
use crate::model::RoleName;

/// DER for `r` and `s` of 32 bytes each, as other libraries write them.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let sign: &[u8] = if bytes[0] > 127 { &[0] } else { &[] };
        let length = u8::try_from(sign.len() + bytes.len()).unwrap();
        [&[2, length], sign, bytes].concat()
    };
    let both = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat()
}

/// The order of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn j07_a_signature_in_another_form_or_out_of_range_is_refused() {
    use base64::Engine;
    let scene = Scene::new().await;
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let good = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap();
    let zero = [0; 32];
    for forged in [
        der(&good),
        [good.as_slice(), &[0]].concat(),
        [&[0], good.as_slice()].concat(),
        [zero, zero].concat(),
        [ORDER, ORDER].concat(),
        [&good[..32], &zero].concat(),
        [&zero, &good[32..]].concat(),
        [&good[..32], &ORDER].concat(),
        [&ORDER, &good[32..]].concat(),
    ] {
        let forged = format!("{signed}.{}", encode(&forged));
        assert_eq!(scene.result(&forged).await, "bad_signature");
    }
}

#[tokio::test]
async fn j07_a_key_off_its_curve_proves_nothing() {
    let scene = Scene::new().await;
    let off = with(
        &scene.key.jwk("k1"),
        &json!({"x": encode(&[1; 32]), "y": encode(&[1; 32])}),
    );
    scene.pond.page("/jwks", 200, key_set(&[off]).to_string());
    assert_eq!(scene.result(&scene.token()).await, "bad_signature");
    let set = key_set(&[scene.key.jwk("k1")]);
    scene.pond.page("/jwks", 200, set.to_string());
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j33_the_json_serialisation_is_refused() {
    let scene = Scene::new().await;
    let token = scene.token();
    let parts: Vec<_> = token.split('.').collect();
    let flat = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let general = json!({
        "payload": parts[1],
        "signatures": [{"protected": parts[0], "signature": parts[2]}],
    });
    assert_eq!(scene.result(&token).await, "ok");
    for text in [flat, general] {
        assert_eq!(scene.result(&text.to_string()).await, "malformed");
    }
}

#[tokio::test]
async fn j37_a_role_named_twice_is_refused_however_deep_it_stands() {
    let scene = Scene::new().await;
    let claims = scene.claims().to_string();
    assert_eq!(scene.result(&scene.token()).await, "ok");
    for (good, bad) in [
        (r#""roles":["#, r#""roles":["admin"],"roles":["#),
        (
            r#""realm_access":"#,
            r#""realm_access":{"roles":["admin"]},"realm_access":"#,
        ),
        (r#""scope":"#, r#""sc\u006fpe":"admin","scope":"#),
    ] {
        let bent = claims.replacen(good, bad, 1);
        assert_ne!(bent, claims, "{good}");
        let header = scene.header().to_string();
        let token = scene.key.sign_text(&header, bent.as_bytes());
        assert_eq!(scene.result(&token).await, "malformed", "{bad}");
    }
}

#[tokio::test]
async fn j39_a_pointer_to_groups_elsewhere_is_not_followed_and_gives_nothing() {
    let scene = Scene::new().await;
    let overage = json!({
        "realm_access": "-",
        "_claim_names": {"groups": "src1", "roles": "src1"},
        "_claim_sources": {"src1": {"endpoint": format!("{}/groups", scene.pond.url)}},
    });
    let claims = with(&scene.claims(), &overage);
    let token = scene.key.sign(&scene.header(), &claims);
    let principal = scene.verify(&token).await.unwrap();
    assert!(principal.roles().is_empty());
    assert_eq!(scene.pond.asked("/groups"), 0);
}

/// Two issuers, and a role that the configuration gives to `alice` of the first.
async fn two_issuers() -> (Scene, Pond, TestKey, Verifier) {
    let scene = Scene::new().await;
    let (pond, theirs) = (Pond::start().await, TestKey::p256());
    publish_metadata(&pond, &pond.url);
    pond.page("/jwks", 200, key_set(&[theirs.jwk("k1")]).to_string());
    let other = Arc::new(IssuerKeys::new(
        settings(&pond.url),
        remote::client().unwrap(),
        scene.clock.clone(),
    ));
    let grant = Grant {
        role: RoleName::new("owner"),
        issuer: scene.keys.settings().url.clone(),
        scopes: Vec::new(),
        client: None,
        subject: Some("alice".to_owned()),
    };
    let keys = [Arc::clone(&scene.keys), other];
    let verifier = granting(&keys, vec![grant], scene.clock.clone());
    (scene, pond, theirs, verifier)
}

#[tokio::test]
async fn j40_a_subject_of_another_issuer_has_none_of_its_rights() {
    let (scene, pond, theirs, verifier) = two_issuers().await;
    let accepted = audience(&[
        &scene.keys.settings().url,
        &crate::model::IssuerUrl::new(pond.url.as_str()),
    ]);
    let roles = async |token: String| {
        let inspected = verifier.inspect(&credential(&token), &accepted).await;
        assert!(inspected.is_accepted());
        inspected.portrait.unwrap().roles
    };
    let bare = json!({"realm_access": "-"});
    let ours = with(&scene.claims(), &bare);
    let foreign = with(&ours, &json!({"iss": pond.url}));
    assert_eq!(
        roles(scene.key.sign(&scene.header(), &ours)).await,
        ["owner"]
    );
    assert!(
        roles(theirs.sign(&scene.header(), &foreign))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn j14_a_remembered_token_of_one_issuer_says_nothing_about_the_other() {
    let (scene, pond, theirs, verifier) = two_issuers().await;
    let accepted = audience(&[
        &scene.keys.settings().url,
        &crate::model::IssuerUrl::new(pond.url.as_str()),
    ]);
    let ours = scene.token();
    verifier
        .verify(&credential(&ours), &accepted)
        .await
        .unwrap();
    let claims = with(&scene.claims(), &json!({"iss": pond.url}));
    let forged = scene.key.sign(&scene.header(), &claims);
    let refused = verifier.verify(&credential(&forged), &accepted).await;
    assert_eq!(refused.unwrap_err().result(), "bad_signature");
    let own = theirs.sign(&scene.header(), &claims);
    assert!(verifier.verify(&credential(&own), &accepted).await.is_ok());
}

#[tokio::test]
async fn j02_the_public_key_in_any_form_is_no_secret() {
    let scene = Scene::new().await;
    let jwk = scene.key.jwk("k1");
    let part = |name: &str| {
        use base64::Engine;
        let text = jwk[name].as_str().unwrap();
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap()
    };
    let point = [vec![4], part("x"), part("y")].concat();
    // RFC 5480: the head of a SubjectPublicKeyInfo for P-256.
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let info = [head.as_slice(), &point].concat();
    let pem = {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&info);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----")
    };
    let secrets = [
        point,
        info,
        format!("{pem}\n").into_bytes(),
        pem.into_bytes(),
        jwk.to_string().into_bytes(),
        key_set(&[jwk]).to_string().into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        for (alg, result) in [("HS256", "wrong_algorithm"), ("ES256", "bad_signature")] {
            let header = with(&scene.header(), &json!({ "alg": alg }));
            let signed = format!(
                "{}.{}",
                encode(header.to_string().as_bytes()),
                encode(scene.claims().to_string().as_bytes())
            );
            let mac = ring::hmac::sign(&key, signed.as_bytes());
            let token = format!("{signed}.{}", encode(mac.as_ref()));
            assert_eq!(scene.result(&token).await, result);
        }
    }
}

#[tokio::test]
async fn j57_what_is_no_jwt_is_refused() {
    let scene = Scene::new().await;
    for opaque in ["abc", "2YotnFZFEjr1zCsicMWpAA", "a.b.c", "ghp_x"] {
        assert_eq!(scene.result(opaque).await, "malformed", "{opaque}");
    }
    assert_eq!(scene.pond.asked_in_all(), 0, "and nobody is asked about it");
    assert_eq!(
        scene.claimed(json!({"aud": RESOURCE, "iat": NOW})).await,
        "ok"
    );
}
