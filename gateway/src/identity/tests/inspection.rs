//! An inspection says what serving says: it accepts the same tokens, and its first failure is the one that refuses.

use serde_json::{Value, json};

use super::support::{NOW, Scene, TestKey, credential, encode, with};
use crate::identity::inspection::{Finding, Inspection, Outcome};
use crate::identity::settings::{AudienceRule, SenderConstraint};

async fn inspect(scene: &Scene, token: &str) -> Inspection {
    scene
        .verifier
        .inspect(&credential(token), &scene.audience)
        .await
}

fn label(finding: Option<&Finding>) -> &'static str {
    match finding.map(|finding| finding.outcome) {
        None => "ok",
        Some(Outcome::Failed(label)) => label,
        Some(Outcome::Passed | Outcome::Unjudged) => panic!("no failure"),
    }
}

/// Changes of header and claims, most of which are wrong.
fn changes() -> Vec<(Value, Value)> {
    let claims = [
        json!({}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": 5}),
        json!({"aud": "x"}),
        json!({"aud": [5]}),
        json!({"aud": "-"}),
        json!({"exp": NOW - 40}),
        json!({"exp": "x"}),
        json!({"iat": "-"}),
        json!({"iat": NOW + 40}),
        json!({"nbf": NOW + 40}),
        json!({"auth_time": NOW + 40}),
        json!({"exp": NOW + 90_000}),
        json!({"sub": ""}),
        json!({"client_id": "-"}),
        json!({"jti": "-"}),
        json!({"act": "x"}),
        json!({"cnf": {}}),
        json!({"exp": NOW - 40, "sub": "", "aud": "x", "jti": "-"}),
    ];
    let headers = [
        json!({"alg": "ES384"}),
        json!({"alg": "none"}),
        json!({"typ": "JWT"}),
        json!({"typ": "-"}),
        json!({"kid": "strange"}),
        json!({"crit": ["x"]}),
    ];
    let of_claims = claims.into_iter().map(|change| (json!({}), change));
    let of_header = headers.into_iter().map(|change| (change, json!({})));
    of_claims.chain(of_header).collect()
}

#[tokio::test]
async fn an_inspection_ends_as_serving_does_and_its_first_failure_is_the_reason() {
    let scene = Scene::new().await;
    let stranger = TestKey::p256();
    for (header, claims) in changes() {
        let signed = (
            with(&scene.header(), &header),
            with(&scene.claims(), &claims),
        );
        for key in [&scene.key, &stranger] {
            let token = key.sign(&signed.0, &signed.1);
            let served = scene.result(&token).await;
            let inspection = inspect(&scene, &token).await;
            assert_eq!(label(inspection.failures().next()), served, "{signed:?}");
            assert_eq!(inspection.is_accepted(), served == "ok");
        }
    }
}

#[tokio::test]
async fn what_is_no_signed_jwt_is_one_finding() {
    let scene = Scene::new().await;
    for token in ["a", "a.b", "a.b.c", "....", "gwk_abc"] {
        let inspection = inspect(&scene, token).await;
        assert_eq!(inspection.findings.len(), 1);
        assert_eq!(label(inspection.failures().next()), "malformed");
        assert_eq!(inspection.portrait, None);
    }
}

#[tokio::test]
async fn everything_wrong_is_found_at_once_and_who_it_would_be_is_told() {
    let scene = Scene::new().await;
    let change = json!({"exp": NOW - 40, "aud": "x", "jti": "-"});
    let token = TestKey::p256().sign(&scene.header(), &with(&scene.claims(), &change));
    let inspection = inspect(&scene, &token).await;
    let names: Vec<_> = inspection.failures().map(|finding| finding.name).collect();
    assert_eq!(names, ["audience", "expiry", "token id", "signature"]);
    let portrait = inspection.portrait.unwrap();
    assert_eq!(portrait.subject, "alice");
    assert_eq!(portrait.roles, ["analyst", "support"]);
}

#[tokio::test]
async fn what_a_server_wants_a_token_bound_to_is_judged_too() {
    let mut scene = Scene::new().await;
    let print = encode(&[7; 32]);
    let bound = with(&scene.claims(), &json!({"cnf": {"jkt": print}}));
    let bound = scene.key.sign(&scene.header(), &bound);
    let bare = scene.token();
    for (constraint, bare_is_good, bound_is_good) in [
        (SenderConstraint::Any, true, true),
        (SenderConstraint::Dpop, false, true),
        (SenderConstraint::Mtls, false, false),
        (SenderConstraint::DpopOrMtls, false, true),
    ] {
        scene.audience.sender_constraint = constraint;
        let accepted = inspect(&scene, &bare).await.is_accepted();
        assert_eq!(accepted, bare_is_good, "{constraint:?}");
        let inspection = inspect(&scene, &bound).await;
        assert_eq!(inspection.is_accepted(), bound_is_good, "{constraint:?}");
        let portrait = inspection.portrait.unwrap();
        assert_eq!(portrait.bound_to, [format!("key {print}")]);
    }
}

#[tokio::test]
async fn another_audience_is_a_finding_of_its_own() {
    let mut scene = Scene::new().await;
    scene.audience.audiences = AudienceRule::Alone;
    let several = json!([super::support::RESOURCE, "https://other.example"]);
    let claims = with(&scene.claims(), &json!({"aud": several}));
    let inspection = inspect(&scene, &scene.key.sign(&scene.header(), &claims)).await;
    let failed: Vec<_> = inspection.failures().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].name, "other audiences");
    assert_eq!(failed[0].got, "https://other.example");
}
