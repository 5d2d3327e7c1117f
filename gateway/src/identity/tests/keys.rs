//! Rows about which key proves a token.

use std::sync::Arc;

use serde_json::json;

use super::support::{
    Pond, Scene, TestKey, audience, credential, key_set, publish_metadata, settings, verifier, with,
};
use crate::identity::keys::{IssuerKeys, remote};

#[tokio::test]
async fn j04_a_key_of_another_type_is_not_used() {
    let scene = Scene::new().await;
    scene.pond.page(
        "/jwks",
        200,
        key_set(&[TestKey::p384().jwk("k1"), TestKey::ed25519().jwk("k2")]).to_string(),
    );
    assert_eq!(scene.result(&scene.token()).await, "unknown_key");
    assert_eq!(scene.headed(json!({"kid": "k2"})).await, "unknown_key");
}

#[tokio::test]
async fn j04_a_key_of_another_algorithm_is_not_used() {
    let scene = Scene::new().await;
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(scene.headed(json!({"alg": "EdDSA"})).await, "unknown_key");
    assert_eq!(scene.headed(json!({"alg": "RS256"})).await, "unknown_key");
}

#[tokio::test]
async fn j05_a_key_not_meant_for_signatures_is_not_used() {
    let scene = Scene::new().await;
    let other = TestKey::p256().jwk("other");
    for change in [json!({"use": "enc"}), json!({"key_ops": ["encrypt"]})] {
        let set = key_set(&[with(&scene.key.jwk("k1"), &change), other.clone()]);
        scene.pond.page("/jwks", 200, set.to_string());
        scene.keys.refresh_now().await.unwrap();
        assert_eq!(
            scene.result(&scene.token()).await,
            "unknown_key",
            "{change}"
        );
    }
    let meant = with(
        &scene.key.jwk("k1"),
        &json!({"use": "sig", "key_ops": ["verify"], "alg": "ES256"}),
    );
    scene.pond.page("/jwks", 200, key_set(&[meant]).to_string());
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j07_a_signature_of_zeroes_is_refused() {
    let scene = Scene::new().await;
    let token = scene.token();
    let (signed, _) = token.rsplit_once('.').unwrap();
    for signature in [[0; 64].as_slice(), &[0; 65], &[255; 64], &[0; 1]] {
        let forged = format!("{signed}.{}", super::support::encode(signature));
        assert_eq!(scene.result(&forged).await, "bad_signature");
    }
}

#[tokio::test]
async fn j11_without_a_key_id_only_a_single_fitting_key_is_used() {
    let scene = Scene::new().await;
    assert_eq!(scene.headed(json!({"kid": "-"})).await, "ok");
    let set = key_set(&[
        scene.key.jwk("k1"),
        TestKey::p384().jwk("k2"),
        TestKey::ed25519().jwk("k3"),
    ]);
    scene.pond.page("/jwks", 200, set.to_string());
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(scene.headed(json!({"kid": "-"})).await, "ok");
    let set = key_set(&[scene.key.jwk("k1"), TestKey::p256().jwk("k2")]);
    scene.pond.page("/jwks", 200, set.to_string());
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(scene.headed(json!({"kid": "-"})).await, "unknown_key");
}

#[tokio::test]
async fn j12_the_named_key_alone_is_used() {
    let scene = Scene::new().await;
    let set = key_set(&[TestKey::p256().jwk("k1"), scene.key.jwk("k2")]);
    scene.pond.page("/jwks", 200, set.to_string());
    assert_eq!(scene.result(&scene.token()).await, "bad_signature");
    assert_eq!(scene.headed(json!({"kid": "k2"})).await, "ok");
}

#[tokio::test]
async fn j13_two_keys_of_one_name_leave_the_last_good_set() {
    let scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    let set = key_set(&[scene.key.jwk("k1"), TestKey::p256().jwk("k1")]);
    scene.pond.page("/jwks", 200, set.to_string());
    assert!(scene.keys.refresh_now().await.is_err());
    assert!(scene.keys.last_failure().is_some());
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j14_the_key_of_another_issuer_proves_nothing() {
    let scene = Scene::new().await;
    let (pond, theirs) = (Pond::start().await, TestKey::p256());
    publish_metadata(&pond, &pond.url);
    pond.page("/jwks", 200, key_set(&[theirs.jwk("k1")]).to_string());
    let other = Arc::new(IssuerKeys::new(
        settings(&pond.url),
        remote::client().unwrap(),
        scene.clock.clone(),
    ));
    let accepted = audience(&[&scene.keys.settings().url, &other.settings().url]);
    let verifier = verifier(&[Arc::clone(&scene.keys), other], scene.clock.clone());
    let claims = with(&scene.claims(), &json!({"iss": pond.url}));
    let crossed = scene.key.sign(&scene.header(), &claims);
    let refused = verifier
        .verify(&credential(&crossed), &accepted)
        .await
        .unwrap_err();
    assert_eq!(refused.result(), "bad_signature");
    let own = theirs.sign(&scene.header(), &claims);
    let unbound = verifier.verify(&credential(&own), &accepted).await.unwrap();
    assert_eq!(unbound.issuer().as_str(), pond.url);
}

#[tokio::test]
async fn j41_a_flood_of_unknown_keys_causes_one_fetch_per_cooldown() {
    let scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    assert_eq!(scene.pond.asked("/jwks"), 1);
    scene.clock.advance(30);
    let strange: Vec<_> = (0..100)
        .map(|number| {
            let header = with(
                &scene.header(),
                &json!({"kid": format!("strange-{number}")}),
            );
            credential(&scene.key.sign(&header, &scene.claims()))
        })
        .collect();
    let flood = strange
        .iter()
        .map(|credential| scene.verifier.verify(credential, &scene.audience));
    for refused in futures_util::future::join_all(flood).await {
        assert_eq!(refused.unwrap_err().result(), "unknown_key");
    }
    assert_eq!(scene.pond.asked("/jwks"), 2);
    scene.clock.advance(29);
    assert_eq!(scene.headed(json!({"kid": "strange"})).await, "unknown_key");
    assert_eq!(scene.pond.asked("/jwks"), 2);
    scene.clock.advance(1);
    assert_eq!(scene.headed(json!({"kid": "strange"})).await, "unknown_key");
    assert_eq!(scene.pond.asked("/jwks"), 3);
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j41_a_client_that_hangs_up_does_not_stop_the_fetch() {
    let scene = Scene::new().await;
    let token = credential(&scene.token());
    {
        let verifying = std::pin::pin!(scene.verifier.verify(&token, &scene.audience));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(verifying.poll(&mut context).is_pending());
    }
    scene.keys.refresh_now().await.unwrap();
    assert_eq!(
        scene.pond.asked("/jwks"),
        1,
        "the fetch that was under way was joined"
    );
    assert!(scene.keys.is_ready());
}

#[tokio::test]
async fn j43_a_new_key_is_found_and_an_old_one_dropped() {
    let mut scene = Scene::new().await;
    let old = scene.token();
    assert_eq!(scene.result(&old).await, "ok");
    scene.key = TestKey::p256();
    scene
        .pond
        .page("/jwks", 200, key_set(&[scene.key.jwk("k2")]).to_string());
    assert_eq!(
        scene.headed(json!({"kid": "k2"})).await,
        "unknown_key",
        "the cooldown is not over"
    );
    scene.clock.advance(30);
    assert_eq!(scene.headed(json!({"kid": "k2"})).await, "ok");
    assert!(
        scene
            .verifier
            .recall(&credential(&old), &scene.audience)
            .is_none()
    );
    assert_eq!(scene.result(&old).await, "unknown_key");
}

#[tokio::test]
async fn j43_a_key_changed_under_its_name_is_found() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    scene.key = TestKey::p256();
    scene
        .pond
        .page("/jwks", 200, key_set(&[scene.key.jwk("k1")]).to_string());
    assert_eq!(
        scene.result(&scene.token()).await,
        "bad_signature",
        "the cooldown is not over"
    );
    scene.clock.advance(30);
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j56_keys_that_did_not_change_keep_what_is_remembered() {
    let scene = Scene::new().await;
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    scene.keys.refresh_now().await.unwrap();
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_some()
    );
    let set = key_set(&[scene.key.jwk("k1"), TestKey::p256().jwk("k2")]);
    scene.pond.page("/jwks", 200, set.to_string());
    scene.keys.refresh_now().await.unwrap();
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_none()
    );
    assert_eq!(scene.result(&token).await, "ok");
}
