//! Keys of the gateway's own at the edges of their time and form.

use std::path::PathBuf;

use super::support::{Scene, credential};
use crate::identity::api_key::{NewKey, is_id};
use crate::identity::binding::Evidence;
use crate::identity::settings::{ApiKeyRow, ApiKeySettings, Audience, SenderConstraint};
use crate::identity::{Origin, PrincipalKind, Unverified};
use crate::model::{Clock, Digest, RoleName, Secret, UnixTime};

/// A scene whose server takes one key, for a minute from now; the key's own end is `own` seconds from now.
async fn scene(own: Option<u64>) -> (Scene, NewKey) {
    let mut scene = Scene::new().await;
    let key = NewKey::make().unwrap();
    let hash_key = Secret::new("k".repeat(32));
    let now = scene.clock.now().seconds();
    let row = ApiKeyRow {
        id: key.id.clone(),
        hash: key.hash(&hash_key),
        subject: "billing".to_owned(),
        client: "bot".to_owned(),
        roles: ["b", "a", "b"].map(RoleName::new).to_vec(),
        scopes: vec!["crm:read".to_owned()],
        kind: PrincipalKind::Agent,
        sunset: own.map(|seconds| UnixTime::from_seconds(now + seconds)),
        created: UnixTime::from_seconds(now - 86_400),
    };
    scene.audience.api_keys = Some(ApiKeySettings {
        keys_file: PathBuf::from("keys.yaml"),
        hash_key,
        rows: vec![row],
        sunset: UnixTime::from_seconds(now + 60),
        digest: Digest::of(b""),
    });
    (scene, key)
}

fn keys(audience: &mut Audience) -> &mut ApiKeySettings {
    audience.api_keys.as_mut().unwrap()
}

#[tokio::test]
async fn a_key_becomes_the_principal_of_its_row() {
    let (scene, key) = scene(None).await;
    let presented = credential(key.key.expose());
    let verified = scene.verifier.verify(&presented, &scene.audience).await;
    let evidence = Evidence {
        method: "POST",
        certificate: None,
    };
    let bound = scene
        .verifier
        .bind(&verified.unwrap(), (&presented, evidence), &scene.audience)
        .await;
    let principal = bound.unwrap().principal;
    assert_eq!(principal.issuer().as_str(), "urn:gatewright:api-keys");
    assert_eq!(principal.subject(), "billing");
    assert_eq!(principal.client_id(), Some("bot"));
    assert_eq!(principal.token_id(), key.id);
    assert_eq!(principal.roles(), ["a", "b"].map(RoleName::new));
    assert_eq!(principal.kind(), PrincipalKind::Agent);
    assert_eq!(
        (principal.origin(), principal.scheme()),
        (Origin::ApiKey, "api_key")
    );
    // A stream of its ends when the key does.
    assert_eq!(
        principal.expires(),
        scene.audience.api_keys.as_ref().unwrap().sunset
    );
    assert!(scene.verifier.recall(&presented, &scene.audience).is_none());
}

#[tokio::test]
async fn a_key_ends_at_its_own_sunset_or_the_servers_to_the_second() {
    for (own, end) in [(None, 60), (Some(20), 20), (Some(90), 60)] {
        let (scene, key) = scene(own).await;
        let presented = credential(key.key.expose());
        scene.clock.advance(end - 1);
        assert!(
            scene
                .verifier
                .verify(&presented, &scene.audience)
                .await
                .is_ok()
        );
        scene.clock.advance(1);
        let now = scene.clock.now();
        let refused = scene.verifier.verify(&presented, &scene.audience).await;
        assert_eq!(
            refused.unwrap_err(),
            Unverified::Sunset { at: now },
            "{own:?}"
        );
    }
}

#[tokio::test]
async fn a_row_proves_nothing_without_its_hash_and_the_key_of_it() {
    let (mut scene, key) = scene(None).await;
    let presented = credential(key.key.expose());
    assert!(
        scene
            .verifier
            .verify(&presented, &scene.audience)
            .await
            .is_ok()
    );
    let good = keys(&mut scene.audience).clone();

    keys(&mut scene.audience).hash_key = Secret::new("l".repeat(32));
    let refused = scene.verifier.verify(&presented, &scene.audience).await;
    assert_eq!(refused.unwrap_err(), Unverified::BadApiKey);

    *keys(&mut scene.audience) = good.clone();
    keys(&mut scene.audience).rows[0].hash = Digest::of(key.key.expose().as_bytes());
    let refused = scene.verifier.verify(&presented, &scene.audience).await;
    assert_eq!(
        refused.unwrap_err(),
        Unverified::BadApiKey,
        "no plain SHA-256"
    );

    *keys(&mut scene.audience) = good;
    keys(&mut scene.audience).rows.clear();
    let refused = scene.verifier.verify(&presented, &scene.audience).await;
    assert_eq!(refused.unwrap_err(), Unverified::BadApiKey);

    scene.audience.api_keys = None;
    let refused = scene.verifier.verify(&presented, &scene.audience).await;
    assert!(matches!(refused, Err(Unverified::Malformed { .. })));
}

#[test]
fn new_keys_have_the_form_that_is_taken_and_never_come_twice() {
    let made: Vec<_> = (0..200).map(|_| NewKey::make().unwrap()).collect();
    for key in &made {
        let text = key.key.expose();
        assert!(is_id(&key.id), "{}", key.id);
        assert_eq!(text.len(), 60);
        assert!(text.starts_with(&format!("gwk_{}_", key.id)));
        assert!(!format!("{key:?}").contains(text.split_at(17).1));
    }
    let mut ids: Vec<_> = made.iter().map(|key| &key.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), made.len());
    for bad in [
        "",
        "0123456789a",
        "0123456789abc",
        "0123456789aB",
        "0123456789a_",
    ] {
        assert!(!is_id(bad), "{bad}");
    }
}

#[tokio::test]
async fn a_server_that_wants_bound_tokens_takes_no_keys() {
    for constraint in [
        SenderConstraint::Dpop,
        SenderConstraint::Mtls,
        SenderConstraint::DpopOrMtls,
    ] {
        let (mut scene, key) = scene(None).await;
        scene.audience.sender_constraint = constraint;
        let refused = scene.result(key.key.expose()).await;
        assert_eq!(refused, "not_bound", "{constraint:?}");
    }
}
