//! Rows about what a token has to say at all, and about whom it may be for.

use serde_json::{Value, json};

use super::support::{NOW, RESOURCE, Scene, with};
use crate::identity::settings::{AudienceRule, Profile};

async fn lenient() -> Scene {
    Scene::with_settings(|issuer| issuer.profile = Profile::Lenient).await
}

/// An issuer that cannot say `at+jwt`.
async fn plain(profile: Profile) -> Scene {
    Scene::with_settings(|issuer| {
        issuer.profile = profile;
        issuer.token_types.push("JWT".to_owned());
    })
    .await
}

impl Scene {
    /// The result of a token that calls itself `JWT`.
    async fn plain(&self, change: Value) -> &'static str {
        let header = with(&self.header(), &json!({"typ": "JWT"}));
        let claims = with(&self.claims(), &change);
        self.result(&self.key.sign(&header, &claims)).await
    }
}

#[tokio::test]
async fn j20_one_of_several_audiences_is_enough() {
    let scene = Scene::new().await;
    let several = json!({"aud": ["https://other.example", RESOURCE]});
    assert_eq!(scene.claimed(several).await, "ok");
    let other = json!({"aud": ["https://other.example"]});
    assert_eq!(scene.claimed(other).await, "wrong_audience");
}

#[tokio::test]
async fn j20_a_server_may_want_tokens_for_itself_alone() {
    let mut scene = Scene::new().await;
    scene.audience.audiences = AudienceRule::Alone;
    let several = json!({"aud": ["https://other.example", RESOURCE]});
    assert_eq!(scene.claimed(several.clone()).await, "wrong_audience");
    assert_eq!(scene.claimed(json!({"aud": [RESOURCE]})).await, "ok");
    assert_eq!(scene.claimed(json!({"aud": RESOURCE})).await, "ok");
    scene
        .audience
        .accepted
        .push("https://other.example".to_owned());
    assert_eq!(
        scene.claimed(several).await,
        "ok",
        "both are names of this server"
    );
}

#[tokio::test]
async fn j23_an_id_token_is_refused_even_where_jwt_is_a_type() {
    for profile in [Profile::Strict, Profile::Lenient] {
        let scene = plain(profile).await;
        assert_eq!(scene.plain(json!({})).await, "ok");
        for claim in ["nonce", "at_hash", "c_hash", "s_hash", "events"] {
            assert_eq!(
                scene.plain(json!({ claim: "x" })).await,
                "wrong_type",
                "{claim}"
            );
            assert_eq!(
                scene.claimed(json!({ claim: "x" })).await,
                "ok",
                "at+jwt says what it is"
            );
        }
    }
}

#[tokio::test]
async fn j23_a_token_of_type_jwt_has_to_say_what_it_is_good_for() {
    for profile in [Profile::Strict, Profile::Lenient] {
        let scene = plain(profile).await;
        let bare = json!({"scope": "-", "realm_access": "-"});
        assert_eq!(scene.claimed(bare.clone()).await, "ok");
        assert_eq!(scene.plain(bare.clone()).await, "wrong_type");
        for right in [
            json!({"scope": "crm:read"}),
            json!({"scp": "crm:read"}),
            json!({"scp": ["crm:read"]}),
            json!({"realm_access": {"roles": ["analyst"]}}),
        ] {
            assert_eq!(scene.plain(with(&bare, &right)).await, "ok", "{right}");
        }
        for nothing in [
            json!({"scope": " "}),
            json!({"scope": {}}),
            json!({"scp": []}),
            json!({"scp": [5]}),
            json!({"realm_access": {"roles": true}}),
            json!({"roles": ["analyst"]}),
        ] {
            let result = scene.plain(with(&bare, &nothing)).await;
            assert_eq!(result, "wrong_type", "{nothing}");
        }
    }
}

#[tokio::test]
async fn j30_a_strict_issuer_sets_every_claim_of_rfc_9068() {
    let scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
    for (claim, result) in [
        ("iss", "wrong_issuer"),
        ("exp", "malformed"),
        ("aud", "wrong_audience"),
        ("sub", "malformed"),
        ("client_id", "malformed"),
        ("iat", "malformed"),
        ("jti", "malformed"),
    ] {
        assert_eq!(
            scene.claimed(json!({ claim: "-" })).await,
            result,
            "{claim}"
        );
    }
    for (claim, value) in [
        ("jti", json!("")),
        ("jti", json!(5)),
        ("client_id", json!("")),
        ("client_id", json!(["cli"])),
        ("sub", json!("")),
        ("sub", json!(null)),
        ("sub", json!(5)),
        ("sub", json!(["alice"])),
    ] {
        let result = scene.claimed(json!({ claim: value })).await;
        assert_eq!(result, "malformed", "{claim} {value}");
    }
    let by_azp = json!({"client_id": "-", "azp": "cli"});
    assert_eq!(scene.claimed(by_azp).await, "ok");
}

#[tokio::test]
async fn j30_another_claim_may_name_the_client() {
    let scene = Scene::with_settings(|issuer| issuer.client_claim = "appid".to_owned()).await;
    assert_eq!(scene.claimed(json!({"appid": "cli"})).await, "ok");
    assert_eq!(scene.claimed(json!({})).await, "malformed");
}

#[tokio::test]
async fn j30_a_lenient_issuer_may_leave_out_client_and_token_id() {
    let scene = lenient().await;
    let less = json!({"client_id": "-", "jti": "-"});
    assert_eq!(scene.claimed(less).await, "ok");
    for (claim, result) in [
        ("exp", "malformed"),
        ("iat", "malformed"),
        ("sub", "malformed"),
        ("aud", "wrong_audience"),
    ] {
        assert_eq!(
            scene.claimed(json!({ claim: "-" })).await,
            result,
            "{claim}"
        );
    }
}

#[tokio::test]
async fn j27_a_login_may_be_any_time_ago() {
    let scene = Scene::new().await;
    assert_eq!(scene.claimed(json!({"auth_time": 1})).await, "ok");
    assert_eq!(scene.claimed(json!({"auth_time": NOW})).await, "ok");
}
