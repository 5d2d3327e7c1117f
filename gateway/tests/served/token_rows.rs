//! Tokens of odd issuers, odd lengths and odd claims, as they come over the wire.

use serde_json::json;

use crate::support::{Agent, Gateway, Issuer, Reply, Setup, Upstream, modern, resource};

pub(crate) async fn usual() -> (Gateway, Upstream, String) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    (setup.start(&upstream).await, upstream, token)
}

/// The status of a call with this token.
pub(crate) async fn status(gateway: &Gateway, token: &str) -> u16 {
    let agent = Agent::new(gateway.url(), Some(token.to_owned()));
    agent.modern(&modern("search_x", &json!({}))).await.status
}

#[tokio::test]
async fn j09_no_request_goes_where_a_token_points() {
    let sink = Upstream::plain().await;
    let (gateway, upstream, token) = usual().await;
    let issuer = &gateway.setup.issuer;
    let claims = issuer.claims("alice", &["analyst"]);
    for member in ["jku", "x5u", "jwks_uri", "iss"] {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "strange"});
        header[member] = json!(format!("http://{}/keys", sink.address));
        assert_eq!(status(&gateway, &issuer.sign(&header, &claims)).await, 401);
    }
    assert_eq!((sink.count(), upstream.count()), (0, 0));
    assert_eq!(status(&gateway, &token).await, 200);
}

#[tokio::test]
async fn j42_tokens_of_issuers_that_nobody_configured_cause_no_request() {
    let sink = Upstream::plain().await;
    let (gateway, upstream, token) = usual().await;
    for number in 0..20 {
        let mut claims = gateway.setup.issuer.claims("alice", &["analyst"]);
        claims["iss"] = json!(format!("http://{}/{number}", sink.address));
        let token = gateway.setup.issuer.sign_claims(&claims);
        assert_eq!(status(&gateway, &token).await, 401);
    }
    assert_eq!((sink.count(), upstream.count()), (0, 0));
    assert_eq!(status(&gateway, &token).await, 200);
}

#[tokio::test]
async fn j20_a_server_that_wants_its_tokens_alone_refuses_those_for_others_too() {
    for (key, expected) in [("", 200), ("    single_audience: true\n", 401)] {
        let upstream = Upstream::plain().await;
        let setup = Setup {
            server: key.to_owned(),
            ..Setup::default()
        };
        let gateway = setup.start(&upstream).await;
        let mut claims = gateway.setup.issuer.claims("alice", &["analyst"]);
        claims["scope"] = json!("crm:read");
        let alone = gateway.setup.issuer.sign_claims(&claims);
        claims["aud"] = json!([resource(), "https://other.example"]);
        let among = gateway.setup.issuer.sign_claims(&claims);
        assert_eq!(status(&gateway, &among).await, expected, "{key}");
        assert_eq!(status(&gateway, &alone).await, 200);
        let reached = if expected == 200 { 2 } else { 1 };
        assert_eq!(upstream.count(), reached, "{key}");
    }
}

#[tokio::test]
async fn j30_a_profile_says_what_a_token_has_to_carry() {
    for (key, expected) in [
        ("", [401, 401, 401]),
        ("    profile: strict\n", [401, 401, 401]),
        ("    profile: lenient\n", [200, 200, 200]),
        (
            "    profile: lenient\n    token_types: [at+jwt]\n",
            [200, 200, 401],
        ),
    ] {
        let upstream = Upstream::plain().await;
        let setup = Setup::default();
        let yaml = setup.yaml(&upstream.url());
        let yaml = yaml.replace("servers:", &format!("{key}servers:"));
        let gateway = Gateway::start(setup, yaml).await;
        let issuer = &gateway.setup.issuer;
        let mut good = issuer.claims("alice", &["analyst"]);
        good["scope"] = json!("crm:read");
        let without = |claim: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(claim);
            issuer.sign_claims(&claims)
        };
        let plain = json!({"alg": "ES256", "typ": "JWT", "kid": "k1"});
        let plain = issuer.sign(&plain, &good);
        let tokens = [without("jti"), without("client_id"), plain];
        for (token, expected) in tokens.iter().zip(expected) {
            assert_eq!(status(&gateway, token).await, expected, "{key}");
        }
        let taken = expected.iter().filter(|status| **status == 200).count();
        assert_eq!(upstream.count(), taken, "{key}");
        assert_eq!(status(&gateway, &issuer.sign_claims(&good)).await, 200);
    }
}

#[tokio::test]
async fn j23_an_id_token_of_a_trusted_issuer_opens_nothing() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let yaml = setup.yaml(&upstream.url());
    let yaml = yaml.replace("servers:", "    token_types: [at+jwt, JWT]\nservers:");
    let gateway = Gateway::start(setup, yaml).await;
    let issuer = &gateway.setup.issuer;
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": "k1"});
    let mut claims = issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    assert_eq!(status(&gateway, &issuer.sign(&header, &claims)).await, 200);
    claims["nonce"] = json!("n-0S6_WzA2Mj");
    assert_eq!(status(&gateway, &issuer.sign(&header, &claims)).await, 401);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn j35_a_token_past_the_limit_is_refused_before_it_is_read() {
    let (gateway, upstream, token) = usual().await;
    let mut claims = gateway.setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    let filled = |bytes: usize| {
        let mut claims = claims.clone();
        claims["filler"] = json!("x".repeat(bytes));
        gateway.setup.issuer.sign_claims(&claims)
    };
    let (long, longer) = (filled(5500), filled(6500));
    assert!(long.len() < 8192 && longer.len() > 8192);
    assert_eq!(status(&gateway, &long).await, 200);
    assert_eq!(status(&gateway, &longer).await, 401);
    assert_eq!(upstream.count(), 1);
    assert_eq!(status(&gateway, &token).await, 200);
}

#[tokio::test]
async fn limit_token_at_and_past_the_bound() {
    let upstream = Upstream::plain().await;
    for (spare, expected) in [(1, 200), (0, 200), (-1, 401)] {
        let mut setup = Setup::default();
        let token = setup.analyst();
        let bound = isize::try_from(token.len()).unwrap() + spare;
        setup.extra = format!("limits: {{ token: {bound}B }}\n");
        let gateway = setup.start(&upstream).await;
        assert_eq!(status(&gateway, &token).await, expected, "{spare}");
    }
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn j34_a_flood_of_dots_is_refused_at_once() {
    let (gateway, upstream, _) = usual().await;
    for token in [".".repeat(8000), format!("a.b{}", ".".repeat(8000))] {
        assert_eq!(status(&gateway, &token).await, 401);
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn j43_a_changed_key_is_found_after_the_pause_and_no_sooner() {
    let (old, new) = (Setup::default(), Issuer::new());
    let jwks = std::sync::Arc::new(std::sync::Mutex::new(old.issuer.jwks()));
    let published = std::sync::Arc::clone(&jwks);
    let keys = Upstream::start(move |_| Reply::json(&published.lock().unwrap().clone())).await;
    let upstream = Upstream::plain().await;
    let place = format!("jwks_uri: http://{}/jwks", keys.address);
    let yaml = old
        .yaml(&upstream.url())
        .replace("jwks_file: jwks.json", &place);
    let token = old.analyst();
    let gateway = Gateway::start(old, yaml).await;
    assert_eq!(status(&gateway, &token).await, 200);
    *jwks.lock().unwrap() = new.jwks();
    let changed = new.token("bob", &["analyst"], "crm:read");
    for _ in 0..5 {
        assert_eq!(status(&gateway, &changed).await, 401);
    }
    assert_eq!(
        keys.count(),
        1,
        "the fetch at the start, and no other so soon"
    );
    assert_eq!(upstream.count(), 1);
}
