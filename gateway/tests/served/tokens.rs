//! Tokens that prove nothing here: for the server next door, too old, forged, bound to a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused, billing, challenge};
use crate::support::{Agent, Gateway, Issuer, PUBLIC, Setup, Upstream, modern, now};

/// A gateway in front of two servers, `crm` and `billing`, with one upstream each.
async fn next_doors(setup: Setup) -> (Gateway, Upstream, Upstream) {
    let (crm, other) = (Upstream::plain().await, Upstream::plain().await);
    let roles = format!("{}      billing:\n        - search_*\n", setup.roles);
    let server = billing(&other.url());
    let setup = Setup {
        roles,
        server,
        ..setup
    };
    (setup.start(&crm).await, crm, other)
}

fn billing_url(gateway: &Gateway) -> String {
    format!("http://{}/billing/mcp", gateway.address())
}

#[tokio::test]
async fn j21_a_token_for_the_server_next_door_is_refused() {
    let setup = Setup::default();
    let for_crm = setup.analyst();
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["aud"] = json!(format!("{PUBLIC}/billing/mcp"));
    let for_billing = setup.issuer.sign_claims(&claims);
    let (gateway, crm, other) = next_doors(setup).await;
    let message = modern("search_x", &json!({}));

    let crossed = Agent::new(billing_url(&gateway), Some(for_crm.clone()));
    let refused = crossed.modern(&message).await;
    assert_refused(&refused, 401, 40102);
    assert!(
        challenge(&refused)
            .parameter("resource_metadata")
            .unwrap()
            .ends_with("/billing/mcp"),
        "the challenge is of the server that was asked"
    );
    let record = gateway.only_record().await;
    assert_on_record(&record, &refused, "authn", "token_invalid");
    assert_eq!(record["authn"]["result"], "wrong_audience");
    assert_eq!(record["mcp"]["server"], "billing");

    for (url, token) in [
        (gateway.url(), for_crm),
        (billing_url(&gateway), for_billing),
    ] {
        let answer = Agent::new(url, Some(token)).modern(&message).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!((crm.count(), other.count()), (1, 1));
}

#[tokio::test]
async fn j56_a_token_remembered_at_one_server_is_still_refused_at_the_other() {
    let setup = Setup::default();
    let token = setup.analyst();
    let (gateway, crm, other) = next_doors(setup).await;
    let message = modern("search_x", &json!({}));
    let at_home = Agent::new(gateway.url(), Some(token.clone()));
    let abroad = Agent::new(billing_url(&gateway), Some(token));

    for round in 1..=3 {
        let answer = at_home.modern(&message).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_refused(&abroad.modern(&message).await, 401, 40102);
        assert_eq!((crm.count(), other.count()), (round, 0));
    }
}

#[tokio::test]
async fn j16_a_token_of_an_issuer_that_this_server_does_not_list_is_refused() {
    let (home, partner) = (Setup::default(), Issuer::new());
    partner.write_jwks(&home.folder.path().join("partner.json"));
    let mut claims = partner.claims("alice", &["analyst"]);
    claims["iss"] = json!("https://partner.test");
    claims["scope"] = json!("crm:read");
    let at_crm = partner.sign_claims(&claims);
    claims["aud"] = json!(format!("{PUBLIC}/billing/mcp"));
    let at_billing = partner.sign_claims(&claims);
    let (crm, other) = (Upstream::plain().await, Upstream::plain().await);
    let setup = Setup {
        server: format!("    issuers: [corp]\n{}", billing(&other.url())),
        roles: format!("{}      billing: [search_*]\n", home.roles),
        ..home
    };
    let yaml = setup.yaml(&crm.url()).replace(
        "servers:",
        "  - name: partner\n    url: https://partner.test\n    jwks_file: partner.json\nservers:",
    );
    let gateway = Gateway::start(setup, yaml).await;
    let message = modern("search_x", &json!({}));

    let refused = Agent::new(gateway.url(), Some(at_crm))
        .modern(&message)
        .await;
    assert_refused(&refused, 401, 40102);
    let record = gateway.only_record().await;
    assert_eq!(record["authn"]["result"], "wrong_issuer");
    let taken = Agent::new(billing_url(&gateway), Some(at_billing));
    assert_eq!(taken.modern(&message).await.status, 200);
    assert_eq!((crm.count(), other.count()), (0, 1));
}

/// Every way to be wrong, with what the record says of it.
fn forgeries(setup: &Setup) -> Vec<(&'static str, String)> {
    let issuer = &setup.issuer;
    let stranger = Issuer::new();
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1" });
    let good = issuer.claims("alice", &["analyst"]);
    let bent = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        issuer.sign_claims(&claims)
    };
    let with_header = |member: &str, value: Value| {
        let mut header = header.clone();
        header[member] = value;
        issuer.sign(&header, &good)
    };
    let early = now() - 600;
    let mut expired = good.clone();
    expired["iat"] = json!(early);
    expired["exp"] = json!(early + 560);
    vec![
        ("expired", issuer.sign_claims(&expired)),
        ("not_yet_valid", bent("nbf", json!(now() + 120))),
        ("not_yet_valid", bent("iat", json!(now() + 120))),
        ("too_long_lived", bent("exp", json!(now() + 90_000))),
        ("malformed", bent("exp", Value::Null)),
        ("malformed", bent("sub", json!(""))),
        ("malformed", bent("act", json!("agent"))),
        ("wrong_issuer", bent("iss", json!("https://auth.test/"))),
        ("wrong_issuer", bent("iss", json!("https://evil.test"))),
        ("wrong_audience", bent("aud", json!([]))),
        (
            "wrong_audience",
            bent("aud", json!(format!("{PUBLIC}/crm/mcp/"))),
        ),
        ("wrong_type", with_header("typ", json!("JWT"))),
        ("wrong_type", with_header("typ", json!("dpop+jwt"))),
        ("wrong_algorithm", with_header("alg", json!("ES384"))),
        ("malformed", with_header("crit", json!(["exp"]))),
        ("unknown_key", with_header("kid", json!("k2"))),
        ("bad_signature", stranger.sign(&header, &good)),
        ("bad_signature", tampered(&issuer.sign_claims(&good))),
        (
            "key_bound",
            bent(
                "cnf",
                json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
            ),
        ),
        ("unknown_confirmation", bent("cnf", json!({}))),
    ]
}

/// The same signature under other claims.
fn tampered(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let claims = String::from_utf8(claims).unwrap();
    let claims = claims.replace("\"alice\"", "\"admin\"");
    let claims = URL_SAFE_NO_PAD.encode(claims);
    format!("{}.{claims}.{}", parts[0], parts[2])
}

#[tokio::test]
async fn every_token_that_proves_nothing_is_refused_and_named_on_record() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (good, forgeries) = (setup.analyst(), forgeries(&setup));
    let gateway = setup.start(&upstream).await;
    let message = modern("search_x", &json!({}));

    for (result, token) in &forgeries {
        let answer = Agent::new(gateway.url(), Some(token.clone()))
            .modern(&message)
            .await;
        assert_eq!(answer.status, 401, "{result}: {}", answer.body);
        assert_refused(&answer, 401, 40102);
        assert_eq!(challenge(&answer).parameter("error"), Some("invalid_token"));
    }
    assert_eq!(upstream.count(), 0);
    let named: Vec<_> = gateway
        .settled()
        .await
        .iter()
        .map(|record| record["authn"]["result"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = forgeries.iter().map(|(result, _)| *result).collect();
    assert_eq!(named, expected, "one record each, in order");

    let answer = Agent::new(gateway.url(), Some(good)).modern(&message).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn j02_unsigned_and_symmetric_tokens_are_refused() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let claims = setup.issuer.claims("alice", &["analyst"]);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = |alg: &str| {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": "k1" });
        format!("{}.{}", encode(&header), encode(&claims))
    };
    let mut tokens: Vec<_> = ["none", "None", "NONE", ""]
        .map(|alg| format!("{}.", message(alg)))
        .into();
    // The public key as a shared secret, in every form an attacker has it (RFC 8725 section 2.1).
    let jwks = setup.issuer.jwks();
    let (x, y) = (&jwks["keys"][0]["x"], &jwks["keys"][0]["y"]);
    let bytes = |part: &Value| URL_SAFE_NO_PAD.decode(part.as_str().unwrap()).unwrap();
    let point = [vec![4], bytes(x), bytes(y)].concat();
    for secret in [point, jwks.to_string().into_bytes(), Vec::new()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&key, message("HS256").as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(tag.as_ref());
        tokens.push(format!("{}.{tag}", message("HS256")));
        tokens.push(format!("{}.{tag}", message("ES256")));
    }
    let gateway = setup.start(&upstream).await;

    for token in &tokens {
        let agent = Agent::new(gateway.url(), Some(token.clone()));
        let answer = agent.modern(&modern("search_x", &json!({}))).await;
        assert_refused(&answer, 401, 40102);
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.settled().await.len(), tokens.len());
}
