//! What a principal is made of.

use std::sync::Arc;

use serde_json::{Value, json};

use super::support::{NOW, Scene, with};
use crate::identity::principal::{Principal, PrincipalKind};
use crate::identity::settings::Profile;
use crate::model::{Digest, RoleName, UnixTime};

async fn of(scene: &Scene, change: Value) -> Arc<Principal> {
    let claims = with(&scene.claims(), &change);
    scene
        .verify(&scene.key.sign(&scene.header(), &claims))
        .await
        .unwrap()
}

fn roles(principal: &Principal) -> Vec<&str> {
    principal.roles().iter().map(RoleName::as_str).collect()
}

fn scopes(principal: &Principal) -> Vec<&str> {
    principal.scopes().iter().map(|scope| &**scope).collect()
}

#[tokio::test]
async fn a_principal_is_what_its_token_says() {
    let scene = Scene::new().await;
    let alice = of(&scene, json!({"agent_model": "m-1"})).await;
    assert_eq!(alice.issuer().as_str(), scene.pond.url);
    assert_eq!(alice.subject(), "alice");
    assert_eq!(alice.kind(), PrincipalKind::User);
    assert_eq!(alice.client_id(), Some("cli"));
    assert_eq!(roles(&alice), ["analyst", "support"]);
    assert_eq!(scopes(&alice), ["crm:read", "crm:write"]);
    assert_eq!(alice.token_id(), "t1");
    assert_eq!(alice.expires(), UnixTime::from_seconds(NOW + 600));
    assert_eq!(
        alice.model().map(crate::model::AgentModel::name),
        Some("m-1")
    );
    assert!(alice.actors().is_empty());
}

#[tokio::test]
async fn a_client_that_is_its_own_subject_is_an_agent() {
    let scene = Scene::new().await;
    assert_eq!(
        of(&scene, json!({"sub": "cli"})).await.kind(),
        PrincipalKind::Agent
    );
    let by_azp = of(
        &scene,
        json!({"sub": "bot", "client_id": "-", "azp": "bot"}),
    )
    .await;
    assert_eq!(
        (by_azp.kind(), by_azp.client_id()),
        (PrincipalKind::Agent, Some("bot"))
    );
    let lenient = Scene::with_settings(|issuer| issuer.profile = Profile::Lenient).await;
    let without = of(&lenient, json!({"client_id": "-"})).await;
    assert_eq!(
        (without.kind(), without.client_id()),
        (PrincipalKind::User, None)
    );
}

#[tokio::test]
async fn a_token_without_an_id_is_known_by_its_digest() {
    let scene = Scene::with_settings(|issuer| issuer.profile = Profile::Lenient).await;
    let token = scene.key.sign(
        &scene.header(),
        &with(&scene.claims(), &json!({"jti": "-"})),
    );
    let principal = scene.verify(&token).await.unwrap();
    assert_eq!(
        principal.token_id(),
        format!("sha256:{}", Digest::of(token.as_bytes()))
    );
}

#[tokio::test]
async fn j39_roles_of_another_shape_are_no_roles() {
    let scene = Scene::new().await;
    for access in [
        json!("-"),
        json!(null),
        json!("support"),
        json!([]),
        json!({}),
        json!({"roles": {"admin": true}}),
        json!({"roles": 5}),
        json!({"roles": ["admin", 5]}),
        json!({"roles": [["admin"]]}),
        json!({"roles": ""}),
        json!({"Roles": ["admin"]}),
    ] {
        let principal = of(&scene, json!({ "realm_access": access })).await;
        assert_eq!(roles(&principal), Vec::<&str>::new(), "{access}");
    }
}

#[tokio::test]
async fn j39_a_role_is_never_split() {
    let scene = Scene::new().await;
    for role in ["admin,user", "admin user", "admin"] {
        let principal = of(&scene, json!({"realm_access": {"roles": role}})).await;
        assert_eq!(roles(&principal), [role]);
    }
}

#[tokio::test]
async fn j39_scopes_of_another_shape_are_no_scopes() {
    let scene = Scene::new().await;
    for scope in [
        json!(["admin"]),
        json!({"admin": true}),
        json!(5),
        json!(null),
        json!(""),
    ] {
        let principal = of(&scene, json!({"scope": scope, "scp": "admin"})).await;
        assert_eq!(scopes(&principal), Vec::<&str>::new(), "{scope}");
    }
    assert_eq!(scopes(&*of(&scene, json!({"scope": "a,b"})).await), ["a,b"]);
    assert_eq!(
        scopes(&*of(&scene, json!({"scope": "-", "scp": "a b"})).await),
        ["a", "b"]
    );
    assert_eq!(
        scopes(&*of(&scene, json!({"scope": "-", "scp": ["a", "b"]})).await),
        ["a", "b"]
    );
    assert_eq!(
        scopes(&*of(&scene, json!({"scope": "-", "scp": ["a", 1]})).await),
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn actors_are_listed_from_the_present_one() {
    let scene = Scene::new().await;
    let act = json!({"sub": "agent", "iss": "https://a.example", "act": {"sub": "planner"}});
    let principal = of(&scene, json!({ "act": act })).await;
    let actors: Vec<_> = principal
        .actors()
        .iter()
        .map(|actor| (actor.subject(), actor.issuer()))
        .collect();
    assert_eq!(
        actors,
        [("agent", Some("https://a.example")), ("planner", None)]
    );
}

#[tokio::test]
async fn an_actor_that_cannot_be_read_is_refused() {
    let scene = Scene::new().await;
    let chain = |length: usize| {
        (1..length).fold(
            json!({"sub": "a"}),
            |inner, _| json!({"sub": "a", "act": inner}),
        )
    };
    assert_eq!(of(&scene, json!({"act": chain(8)})).await.actors().len(), 8);
    for act in [
        chain(9),
        json!("agent"),
        json!({}),
        json!({"sub": 5}),
        json!(null),
        json!({"sub": "a", "act": []}),
    ] {
        assert_eq!(
            scene.claimed(json!({ "act": act })).await,
            "malformed",
            "{act}"
        );
    }
}
