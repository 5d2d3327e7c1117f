//! Rows about the form of a token and about its header.

use serde_json::json;

use super::support::{Scene, TestKey, encode, with};
use crate::identity::settings::SignatureAlgorithm;

#[tokio::test]
async fn a_good_token_is_accepted() {
    let scene = Scene::new().await;
    assert_eq!(scene.result(&scene.token()).await, "ok");
}

#[tokio::test]
async fn j01_no_algorithm_is_refused() {
    let scene = Scene::new().await;
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!(null),
        json!(["ES256"]),
        json!("-"),
    ] {
        assert_eq!(
            scene.headed(json!({ "alg": alg })).await,
            "wrong_algorithm",
            "{alg}"
        );
    }
    let unsigned = |last: &str| {
        let header = encode(br#"{"alg":"none","typ":"at+jwt"}"#);
        format!(
            "{header}.{}.{last}",
            encode(scene.claims().to_string().as_bytes())
        )
    };
    assert_eq!(scene.result(&unsigned("")).await, "malformed");
    assert_eq!(scene.result(&unsigned("AAAA")).await, "wrong_algorithm");
}

#[tokio::test]
async fn j02_a_mac_with_the_public_key_is_refused() {
    let scene = Scene::new().await;
    let public = scene.key.jwk("k1").to_string();
    for alg in ["HS256", "HS384", "HS512"] {
        let header = with(&scene.header(), &json!({ "alg": alg }));
        let signed = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(scene.claims().to_string().as_bytes())
        );
        let mac = ring::hmac::sign(
            &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes()),
            signed.as_bytes(),
        );
        assert_eq!(
            scene
                .result(&format!("{signed}.{}", encode(mac.as_ref())))
                .await,
            "wrong_algorithm"
        );
    }
}

#[tokio::test]
async fn j03_an_algorithm_off_the_list_is_refused() {
    let mut scene = Scene::new().await;
    scene.key = TestKey::p384();
    scene.pond.page(
        "/jwks",
        200,
        json!({"keys": [scene.key.jwk("k1")]}).to_string(),
    );
    assert_eq!(scene.result(&scene.token()).await, "wrong_algorithm");
    for alg in ["PS256", "RS512", "ES512", "Ed25519", "es256"] {
        assert_eq!(
            scene.headed(json!({ "alg": alg })).await,
            "wrong_algorithm",
            "{alg}"
        );
    }
}

#[tokio::test]
async fn j03_every_curve_on_the_list_is_accepted() {
    for key in [TestKey::p256(), TestKey::p384(), TestKey::ed25519()] {
        let mut scene =
            Scene::with_settings(|issuer| issuer.algorithms = SignatureAlgorithm::ALL.to_vec())
                .await;
        scene.key = key;
        scene.pond.page(
            "/jwks",
            200,
            json!({"keys": [scene.key.jwk("k1")]}).to_string(),
        );
        assert_eq!(scene.result(&scene.token()).await, "ok");
    }
}

#[tokio::test]
async fn j08_a_key_in_the_token_is_not_used() {
    let scene = Scene::new().await;
    let mine = TestKey::p256();
    for (kid, result) in [("mine", "unknown_key"), ("k1", "bad_signature")] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": mine.jwk(kid), "x5c": ["AAAA"]});
        assert_eq!(
            scene.result(&mine.sign(&header, &scene.claims())).await,
            result
        );
    }
}

#[tokio::test]
async fn j09_nothing_is_fetched_from_where_a_token_points() {
    let scene = Scene::new().await;
    let mine = TestKey::p256();
    scene.pond.page(
        "/mine",
        200,
        json!({"keys": [mine.jwk("mine")]}).to_string(),
    );
    let url = format!("{}/mine", scene.pond.url);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "mine", "jku": url, "x5u": url});
    assert_eq!(
        scene.result(&mine.sign(&header, &scene.claims())).await,
        "unknown_key"
    );
    assert_eq!(scene.pond.asked("/mine"), 0);
}

#[tokio::test]
async fn j10_a_hostile_key_id_is_only_unknown() {
    let scene = Scene::new().await;
    let long = "k".repeat(10_000);
    for kid in [
        "../../../../dev/null",
        "' OR 1=1--",
        "a\r\nX: y",
        "\0",
        "",
        "\u{202e}k1",
        &long,
    ] {
        assert_eq!(
            scene.headed(json!({ "kid": kid })).await,
            "unknown_key",
            "{kid:?}"
        );
    }
    for kid in [json!({}), json!([]), json!(5), json!(null)] {
        assert_eq!(
            scene.headed(json!({ "kid": kid })).await,
            "malformed",
            "{kid}"
        );
    }
}

#[tokio::test]
async fn j24_another_kind_of_token_is_refused() {
    let scene = Scene::new().await;
    assert_eq!(scene.headed(json!({ "typ": "at+jwt" })).await, "ok");
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "entity-statement+jwt",
    ] {
        assert_eq!(
            scene.headed(json!({ "typ": typ })).await,
            "wrong_type",
            "{typ}"
        );
    }
}

#[tokio::test]
async fn j25_the_type_is_compared_as_a_media_type() {
    let scene = Scene::new().await;
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/AT+jwt",
    ] {
        assert_eq!(scene.headed(json!({ "typ": typ })).await, "ok", "{typ}");
    }
    for typ in [
        "at+jwt ",
        " at+jwt",
        "at+jwt;v=1",
        "application/application/at+jwt",
        "",
        "-",
    ] {
        assert_eq!(
            scene.headed(json!({ "typ": typ })).await,
            "wrong_type",
            "{typ}"
        );
    }
    assert_eq!(scene.headed(json!({"typ": ["at+jwt"]})).await, "malformed");
}

#[tokio::test]
async fn j31_an_extension_is_refused() {
    let scene = Scene::new().await;
    for header in [
        json!({"crit": ["x"], "x": 1}),
        json!({"crit": []}),
        json!({"crit": ["alg"]}),
        json!({"b64": false}),
    ] {
        assert_eq!(scene.headed(header.clone()).await, "malformed", "{header}");
    }
}

#[tokio::test]
async fn j32_an_encrypted_nested_or_compressed_token_is_refused() {
    let scene = Scene::new().await;
    for header in [
        json!({"zip": "DEF"}),
        json!({"enc": "A256GCM"}),
        json!({"cty": "JWT"}),
        json!({"cty": "application/jwt"}),
    ] {
        assert_eq!(scene.headed(header.clone()).await, "malformed", "{header}");
    }
    assert_eq!(scene.headed(json!({"cty": "json"})).await, "ok");
    let key_wrap = encode(br#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"enc":"A128GCM"}"#);
    assert_eq!(
        scene
            .result(&format!("{key_wrap}.AAAA.AAAA.AAAA.AAAA"))
            .await,
        "malformed"
    );
}

#[tokio::test]
async fn j33_a_detached_payload_is_refused() {
    let scene = Scene::new().await;
    let token = scene.token();
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(
        scene.result(&format!("{}..{}", parts[0], parts[2])).await,
        "malformed"
    );
    assert_eq!(
        scene.result(&format!("{}.{}.", parts[0], parts[1])).await,
        "malformed"
    );
    assert_eq!(
        scene.result(&format!(".{}.{}", parts[1], parts[2])).await,
        "malformed"
    );
}

#[tokio::test]
async fn j34_not_three_parts_are_refused() {
    let scene = Scene::new().await;
    let token = scene.token();
    let (two, _) = token.rsplit_once('.').unwrap();
    for broken in [
        "a",
        two,
        &format!("{token}."),
        &format!("{token}.AAAA"),
        &format!(".{token}"),
        &".".repeat(50_000),
    ] {
        assert_eq!(scene.result(broken).await, "malformed");
    }
}

#[tokio::test]
async fn j36_another_text_of_the_same_token_is_refused() {
    let mut scene = Scene::new().await;
    scene.key = TestKey::ed25519();
    scene.pond.page(
        "/jwks",
        200,
        json!({"keys": [scene.key.jwk("k1")]}).to_string(),
    );
    let token = scene.token();
    assert_eq!(scene.result(&token).await, "ok");
    // 64 bytes leave four unused bits in the last character.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet
        .chars()
        .nth(alphabet.find(last).unwrap() + 1)
        .unwrap();
    let body = token.strip_suffix(last).unwrap();
    for broken in [
        format!("{body}{next}"),
        format!("{token}="),
        format!("{token}=="),
        token.replacen('.', "=.", 1),
    ] {
        assert_eq!(scene.result(&broken).await, "malformed");
    }
}

#[tokio::test]
async fn j37_a_member_twice_is_refused() {
    let scene = Scene::new().await;
    let (header, claims) = (scene.header().to_string(), scene.claims().to_string());
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for member in [r#""alg":"ES256""#, r#""kid":"k1""#, r#""\u0061lg":"ES256""#] {
        let token = scene
            .key
            .sign_text(&twice(&header, member), claims.as_bytes());
        assert_eq!(scene.result(&token).await, "malformed", "{member}");
    }
    for member in [
        r#""scope":"admin""#,
        r#""x":{"a":1,"a":2}"#,
        r#""cnf":{},"cnf":{}"#,
    ] {
        let token = scene
            .key
            .sign_text(&header, twice(&claims, member).as_bytes());
        assert_eq!(scene.result(&token).await, "malformed", "{member}");
    }
    let token = scene
        .key
        .sign_text(&header, twice(&claims, r#""x":{"a":1,"b":2}"#).as_bytes());
    assert_eq!(scene.result(&token).await, "ok");
}

#[tokio::test]
async fn j38_broken_json_is_refused() {
    let scene = Scene::new().await;
    let header = scene.header().to_string();
    let good = scene.claims().to_string();
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for claims in [
        b"[]".to_vec(),
        b"\"x\"".to_vec(),
        format!("\u{feff}{good}").into_bytes(),
        format!("{good}x").into_bytes(),
        good.replace("alice", "\u{1}").into_bytes(),
        good.replace("\"alice\"", "NaN").into_bytes(),
        b"{\"a\":\"\xff\"}".to_vec(),
        deep.into_bytes(),
    ] {
        let token = scene.key.sign_text(&header, &claims);
        assert_eq!(scene.result(&token).await, "malformed");
        let token = scene
            .key
            .sign_text(&String::from_utf8_lossy(&claims), good.as_bytes());
        assert_ne!(scene.result(&token).await, "ok");
    }
}
