//! What is remembered of a proven token, and for how long.

use std::sync::Arc;

use serde_json::json;

use super::support::{Scene, credential, verifier, with};
use crate::identity::binding::Evidence;

#[tokio::test]
async fn j56_a_remembered_token_ends_with_its_life() {
    let scene = Scene::new().await;
    let token = scene.token();
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_none()
    );
    let proven = scene.verify(&token).await.unwrap();
    let recalled = scene
        .verifier
        .recall(&credential(&token), &scene.audience)
        .unwrap();
    let evidence = Evidence {
        method: "POST",
        certificate: None,
    };
    let presented = (&credential(&token), evidence);
    let bound = scene
        .verifier
        .bind(&recalled, presented, &scene.audience)
        .await;
    assert!(Arc::ptr_eq(&proven, &bound.unwrap().principal));
    scene.clock.advance(629);
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_some()
    );
    scene.clock.advance(1);
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_none()
    );
    assert_eq!(scene.result(&token).await, "expired");
}

#[tokio::test]
async fn j56_a_refused_token_is_not_remembered() {
    let scene = Scene::new().await;
    let token = scene
        .key
        .sign(&scene.header(), &with(&scene.claims(), &json!({"cnf": {}})));
    assert_eq!(scene.result(&token).await, "unknown_confirmation");
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &scene.audience)
            .is_none()
    );
}

#[tokio::test]
async fn j56_a_memory_is_not_shared_with_another_configuration() {
    let scene = Scene::new().await;
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    let mut narrowed = scene.audience.clone();
    narrowed.accepted = vec!["https://gw.example/v2/mcp".to_owned()];
    assert!(
        scene
            .verifier
            .recall(&credential(&token), &narrowed)
            .is_none()
    );
    let reloaded = verifier(&[Arc::clone(&scene.keys)], scene.clock.clone());
    assert!(
        reloaded
            .recall(&credential(&token), &scene.audience)
            .is_none()
    );
}
