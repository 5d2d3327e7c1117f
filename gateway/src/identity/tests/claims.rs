//! Rows about the claims of a token.

use serde_json::{Value, json};

use super::support::{NOW, RESOURCE, Scene, credential, encode, with};
use crate::identity::error::RESULTS;
use crate::model::{Reason, ServerName};

#[tokio::test]
async fn j15_an_issuer_that_is_not_a_string_is_refused() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({ "iss": scene.pond.url })).await, "ok");
    let several = json!(["https://evil.example", scene.pond.url]);
    for iss in [several, json!(5), json!({}), json!(null), json!("-")] {
        assert_eq!(
            scene.claimed(json!({ "iss": iss })).await,
            "wrong_issuer",
            "{iss}"
        );
    }
}

#[tokio::test]
async fn j16_a_near_issuer_is_refused() {
    let scene = Scene::new().await;
    let good = &scene.pond.url;
    for iss in [
        format!("{good}/"),
        good.replace("http", "HTTP"),
        format!("{good}:443"),
        good.replace("127.0", "127%2e0"),
        format!("{good}.evil.tld"),
        format!("{good}\0"),
        good.replace('.', "\u{2024}"),
        format!(" {good}"),
        format!("{good}/x"),
        String::new(),
    ] {
        assert_eq!(
            scene.claimed(json!({ "iss": iss })).await,
            "wrong_issuer",
            "{iss}"
        );
    }
}

#[tokio::test]
async fn j42_an_unknown_issuer_causes_no_request() {
    let scene = Scene::new().await;
    for number in 0..20 {
        let iss = format!("{}/{number}", scene.pond.url);
        assert_eq!(scene.claimed(json!({ "iss": iss })).await, "wrong_issuer");
    }
    assert_eq!(scene.pond.asked_in_all(), 0);
}

#[tokio::test]
async fn j16_an_issuer_that_another_server_trusts_is_refused() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    scene.audience.issuers.clear();
    assert_eq!(scene.result(&scene.token()).await, "wrong_issuer");
}

#[tokio::test]
async fn j18_audience_of_wrong_type_is_refused() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({ "aud": [RESOURCE] })).await, "ok");
    for aud in [
        json!("-"),
        json!(null),
        json!(5),
        json!({}),
        json!([]),
        json!([5]),
        json!([RESOURCE, 5]),
        json!([[RESOURCE]]),
    ] {
        assert_eq!(
            scene.claimed(json!({ "aud": aud })).await,
            "wrong_audience",
            "{aud}"
        );
    }
}

#[tokio::test]
async fn j19_a_near_audience_is_refused() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({ "aud": RESOURCE })).await, "ok");
    let long = format!("{RESOURCE}2");
    for aud in [
        "https://gw.example/crm/mcp-evil",
        &long,
        "https://gw.example/crm/mc",
        "https://gw.example",
        "gw.example",
        "cli",
        "http://127.0.0.1:3000/mcp",
        "",
    ] {
        assert_eq!(
            scene.claimed(json!({ "aud": aud })).await,
            "wrong_audience",
            "{aud}"
        );
    }
}

#[tokio::test]
async fn j21_the_audience_of_a_sibling_is_refused() {
    let scene = Scene::new().await;
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    let mut sibling = scene.audience.clone();
    sibling.server = ServerName::new("wiki");
    sibling.accepted = vec!["https://gw.example/wiki/mcp".to_owned()];
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &sibling)
            .is_none(),
        "the memo must not cross servers"
    );
    let refused = scene
        .verifier
        .verify(&credential(&token), &sibling)
        .await
        .unwrap_err();
    assert_eq!(refused.result(), "wrong_audience");
}

#[tokio::test]
async fn j22_the_audience_is_compared_byte_for_byte_and_no_case_is_folded() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({ "aud": RESOURCE })).await, "ok");
    for aud in [
        "HTTPS://GW.EXAMPLE/crm/mcp",
        "https://gw.example:443/crm/mcp",
        "https://gw.example/crm/mcp/",
        "https://gw.example/crm/%6dcp",
        "https://gw.example/./crm/mcp",
        "https://gw.example/crm/mcp?x",
        "https://gw.example/crm/mcp#f",
        "https://u@gw.example/crm/mcp",
        "https://gw.example./crm/mcp",
        "https:\\\\gw.example\\crm\\mcp",
    ] {
        assert_eq!(
            scene.claimed(json!({ "aud": aud })).await,
            "wrong_audience",
            "{aud}"
        );
    }
}

#[tokio::test]
async fn j26_an_end_that_is_no_time_is_refused() {
    let scene = Scene::new().await;
    for exp in [
        json!("-"),
        json!(null),
        json!("9999999999"),
        json!(true),
        json!([]),
        json!({}),
        json!(-1),
        json!(-1.5),
    ] {
        assert_eq!(
            scene.claimed(json!({ "exp": exp })).await,
            "malformed",
            "{exp}"
        );
    }
    assert_eq!(scene.claimed(json!({"exp": 0})).await, "expired");
    let huge = scene
        .claims()
        .to_string()
        .replace(&(NOW + 600).to_string(), "1e400");
    let token = scene
        .key
        .sign_text(&scene.header().to_string(), huge.as_bytes());
    assert_eq!(scene.result(&token).await, "malformed");
    assert_eq!(scene.claimed(json!({"exp": 1e300})).await, "malformed");
    assert_eq!(
        scene.claimed(json!({"exp": u64::MAX})).await,
        "too_long_lived"
    );
}

#[tokio::test]
async fn j26_a_time_with_a_fraction_is_legal() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({"exp": 1_800_000_000.5})).await, "ok");
    assert_eq!(
        scene.claimed(json!({"exp": 1_799_999_900.5})).await,
        "expired"
    );
}

#[tokio::test]
async fn j27_the_leeway_is_thirty_seconds() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({"exp": NOW - 5})).await, "ok");
    assert_eq!(scene.claimed(json!({"exp": NOW - 29})).await, "ok");
    assert_eq!(scene.claimed(json!({"exp": NOW - 30})).await, "expired");
    assert_eq!(scene.claimed(json!({"exp": NOW - 31})).await, "expired");
}

#[tokio::test]
async fn j28_an_immortal_token_is_refused() {
    let scene = Scene::new().await;
    assert_eq!(
        scene.claimed(json!({"iat": NOW, "exp": NOW + 3600})).await,
        "ok"
    );
    assert_eq!(
        scene.claimed(json!({"iat": NOW, "exp": NOW + 3601})).await,
        "too_long_lived"
    );
    assert_eq!(
        scene.claimed(json!({"exp": NOW + 30 * 365 * 86_400})).await,
        "too_long_lived"
    );
    assert_eq!(
        scene.claimed(json!({"iat": "-"})).await,
        "malformed",
        "its lifetime is unknown"
    );
}

#[tokio::test]
async fn j29_a_token_of_the_future_is_refused() {
    let scene = Scene::new().await;
    for claim in ["nbf", "iat", "auth_time"] {
        assert_eq!(
            scene.claimed(json!({ claim: NOW + 30 })).await,
            "ok",
            "{claim}"
        );
        assert_eq!(
            scene.claimed(json!({ claim: NOW + 31 })).await,
            "not_yet_valid",
            "{claim}"
        );
        assert_eq!(
            scene
                .claimed(json!({ claim: NOW + 3600, "exp": NOW + 7200 }))
                .await,
            "not_yet_valid",
            "{claim}"
        );
        for value in [json!("1"), json!(null), json!([NOW])] {
            assert_eq!(
                scene.claimed(json!({ claim: value })).await,
                "malformed",
                "{claim}"
            );
        }
    }
}

#[tokio::test]
async fn key_bound_token_without_proof_is_refused() {
    let scene = Scene::new().await;
    for cnf in [
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!({}),
        json!(null),
        json!("x"),
    ] {
        assert_eq!(
            scene.claimed(json!({ "cnf": cnf })).await,
            "unknown_confirmation",
            "{cnf}"
        );
    }
    let thumbprint = encode(&[7; 32]);
    let claimed = |name: &str| scene.claimed(json!({ "cnf": { name: thumbprint } }));
    assert_eq!(claimed("jkt").await, "key_bound");
    assert_eq!(claimed("x5t#S256").await, "cert_missing");
}

#[tokio::test]
async fn every_refusal_has_a_known_label_and_one_reason() {
    let scene = Scene::new().await;
    let cases: [(Value, Value); 4] = [
        (json!({"alg": "none"}), json!({})),
        (json!({"kid": "x"}), json!({})),
        (json!({}), json!({"aud": "x"})),
        (json!({}), json!({"exp": 1})),
    ];
    for (header, claims) in cases {
        let token = scene.key.sign(
            &with(&scene.header(), &header),
            &with(&scene.claims(), &claims),
        );
        let refused = scene.verify(&token).await.unwrap_err();
        assert!(RESULTS.contains(&refused.result()), "{refused}");
        assert_eq!(refused.reason(), Reason::TokenInvalid);
    }
}
