//! Rows about issuers that are down, lie or talk nonsense.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::support::{
    NOW, Pond, Scene, TestKey, credential, key_set, publish_metadata, settings, with,
};
use crate::identity::keys::{IssuerKeys, KeysError, remote};
use crate::identity::settings::KeySource;
use crate::model::{Clock, Reason};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn j44_the_last_good_keys_outlive_their_issuer_for_a_day() {
    let scene = Scene::with_settings(|issuer| {
        issuer.max_token_lifetime = Duration::from_secs(10 * DAY);
    })
    .await;
    let claims = with(&scene.claims(), &json!({"exp": NOW + 9 * DAY}));
    let token = scene.key.sign(&scene.header(), &claims);
    assert_eq!(scene.result(&token).await, "ok");
    let fetched = scene.keys.last_success();
    scene.pond.page("/jwks", 500, "down");
    assert!(scene.keys.refresh_now().await.is_err());
    assert_eq!(scene.keys.last_success(), fetched);
    scene.clock.advance(DAY);
    assert!(scene.keys.is_ready());
    assert_eq!(scene.result(&token).await, "ok");
    scene.clock.advance(1);
    assert!(!scene.keys.is_ready());
    assert_eq!(scene.result(&token).await, "keys_unavailable");
    let memory = scene.verifier.recall(&credential(&token), &scene.audience);
    assert!(memory.is_none());
}

#[tokio::test]
async fn j45_keys_that_were_never_had_are_our_fault() {
    let scene = Scene::new().await;
    scene.pond.page("/jwks", 503, "");
    let refused = scene.verify(&scene.token()).await.unwrap_err();
    assert_eq!(
        (refused.result(), refused.reason()),
        ("keys_unavailable", Reason::IssuerKeysUnavailable)
    );
    assert!(!scene.keys.is_ready() && scene.keys.last_success().is_none());
    scene
        .pond
        .page("/jwks", 200, key_set(&[scene.key.jwk("k1")]).to_string());
    scene.clock.advance(30);
    assert_eq!(scene.result(&scene.token()).await, "ok");
    assert_eq!(scene.keys.last_success(), Some(scene.clock.now()));
    assert!(scene.keys.last_failure().is_none());
}

#[tokio::test]
async fn j45_an_issuer_that_refuses_connections_is_our_fault() {
    let scene = Scene::with_settings(|issuer| {
        issuer.keys = KeySource::Uri("http://127.0.0.1:1/jwks".to_owned());
    })
    .await;
    assert_eq!(scene.result(&scene.token()).await, "keys_unavailable");
}

#[tokio::test]
async fn j46_a_poisoned_set_leaves_the_last_good_one() {
    let scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    let whole = key_set(&[scene.key.jwk("k1")]).to_string();
    let many: Vec<_> = (0..10_000).map(|number| json!({"kid": number})).collect();
    for body in [
        "<html></html>".to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        whole.trim_end_matches('}').to_owned(),
        " ".repeat(300_000),
        key_set(&many).to_string(),
        r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.to_owned(),
        String::new(),
        "{}".to_owned(),
    ] {
        scene.pond.page("/jwks", 200, body);
        assert!(scene.keys.refresh_now().await.is_err());
        assert_eq!(scene.result(&scene.token()).await, "ok");
    }
}

#[tokio::test]
async fn j48_a_redirect_is_not_followed() {
    let scene = Scene::new().await;
    scene
        .pond
        .page("/moved", 200, key_set(&[scene.key.jwk("k1")]).to_string());
    scene.pond.page("/jwks", 302, "/moved");
    assert_eq!(scene.result(&scene.token()).await, "keys_unavailable");
    assert_eq!(scene.pond.asked("/moved"), 0);
}

#[tokio::test]
async fn j48_keys_over_plain_http_from_elsewhere_are_refused() {
    let scene = Scene::new().await;
    for url in [
        "http://169.254.169.254/keys",
        "file:///etc/passwd",
        "http://2130706432/keys",
        "/jwks",
    ] {
        let metadata = json!({"issuer": scene.pond.url, "jwks_uri": url});
        scene.pond.page(
            "/.well-known/oauth-authorization-server",
            200,
            metadata.to_string(),
        );
        assert!(scene.keys.refresh_now().await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn j49_metadata_of_another_issuer_is_refused() {
    let scene = Scene::new().await;
    let near = format!("{}/", scene.pond.url);
    for named in ["https://evil.example", near.as_str(), ""] {
        publish_metadata(&scene.pond, named);
        let error = scene.keys.refresh_now().await.unwrap_err();
        assert!(
            matches!(*error, KeysError::IssuerMismatch { .. }),
            "{error}"
        );
    }
    assert_eq!(scene.result(&scene.token()).await, "keys_unavailable");
    assert_eq!(scene.pond.asked("/jwks"), 0);
}

#[tokio::test]
async fn keys_are_found_through_openid_discovery_too() {
    let (pond, key) = (Pond::start().await, TestKey::p256());
    for path in [
        "/realms/a/.well-known/openid-configuration",
        "/.well-known/openid-configuration/realms/b",
    ] {
        let issuer = if path.ends_with('b') { "b" } else { "a" };
        let url = format!("{}/realms/{issuer}", pond.url);
        let metadata = json!({"issuer": url, "jwks_uri": format!("{}/jwks", pond.url)});
        pond.page(path, 200, metadata.to_string());
        pond.page("/jwks", 200, key_set(&[key.jwk("k1")]).to_string());
        let keys = Arc::new(IssuerKeys::new(
            settings(&url),
            remote::client().unwrap(),
            Arc::new(crate::model::SystemClock),
        ));
        keys.refresh_now().await.unwrap();
        assert!(keys.is_ready(), "{path}");
    }
}

#[tokio::test]
async fn keys_can_come_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    let scene = Scene::with_settings(|issuer| issuer.keys = KeySource::File(path.clone())).await;
    assert_eq!(scene.result(&scene.token()).await, "keys_unavailable");
    std::fs::write(&path, key_set(&[scene.key.jwk("k1")]).to_string()).unwrap();
    scene.clock.advance(30);
    assert_eq!(scene.result(&scene.token()).await, "ok");
    std::fs::write(&path, " ".repeat(300_000)).unwrap();
    let error = scene.keys.refresh_now().await.unwrap_err();
    assert!(matches!(*error, KeysError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn keys_are_fetched_in_the_background() {
    let scene = Scene::new().await;
    let task = scene.keys.spawn_refresh(Arc::new(|_, _| {}));
    let mut rounds = 0;
    while !scene.keys.is_ready() && rounds < 100_000 {
        tokio::task::yield_now().await;
        rounds += 1;
    }
    task.abort();
    assert!(scene.keys.is_ready());
    assert_eq!(scene.pond.asked("/jwks"), 1);
}

#[tokio::test]
async fn j47_requests_that_wait_for_keys_are_capped() {
    let scene = Scene::new().await;
    let token = credential(&scene.token());
    let crowd = (0..300).map(|_| scene.verifier.verify(&token, &scene.audience));
    let ends = futures_util::future::join_all(crowd).await;
    let proven = ends.iter().filter(|end| end.is_ok()).count();
    assert_eq!(proven, 256);
    let refused: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    assert!(
        refused
            .iter()
            .all(|error| error.result() == "keys_unavailable")
    );
    assert_eq!(scene.pond.asked("/jwks"), 1);
}

#[tokio::test]
async fn j47_a_silent_issuer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let scene = Scene::with_settings(|issuer| issuer.keys = KeySource::Uri(url)).await;
    let begun = std::time::Instant::now();
    assert_eq!(scene.result(&scene.token()).await, "keys_unavailable");
    assert!(begun.elapsed() < Duration::from_secs(8));
    drop(listener);
}
