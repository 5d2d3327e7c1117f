//! Where keys come from, and what happens while an issuer is down: 503 before it was ever seen, business as usual
//! after.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::edge::{Act, RawPeer, assert_on_record, assert_refused, http};
use crate::support::{Agent, Gateway, Reply, Setup, Upstream, modern};

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// A gateway whose only issuer keeps its keys at `keys`, a line of YAML.
async fn with_keys(setup: Setup, upstream: &Upstream, keys: &str) -> Gateway {
    let yaml = setup.yaml(&upstream.url());
    Gateway::start(setup, yaml.replace("jwks_file: jwks.json", keys)).await
}

#[tokio::test]
async fn j45_keys_that_were_never_had_are_503_until_the_issuer_comes_up() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, jwks) = (setup.analyst(), setup.issuer.jwks());
    // Bound and not listening: nobody else can take the port, and connections are refused.
    let place = TcpSocket::new_v4().unwrap();
    place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let keys = format!("jwks_uri: http://{}/jwks", place.local_addr().unwrap());
    let started = Instant::now();
    let gateway = with_keys(setup, &upstream, &keys).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let message = modern("search_x", &json!({}));

    let refused = agent.modern(&message).await;

    assert_refused(&refused, 503, 50301);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        refused.header("www-authenticate"),
        None,
        "never a challenge"
    );
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.readiness().await, 503);
    let record = gateway.only_record().await;
    assert_on_record(&record, &refused, "authn", "issuer_keys_unavailable");
    assert_eq!(record["authn"]["result"], "keys_unavailable");

    let listener = place.listen(16).unwrap();
    let _issuer = RawPeer::on(listener, move |_| Act::Send(http(&jwks)));
    until(|| async { gateway.readiness().await == 200 }).await;
    let waited = started.elapsed();
    assert!(
        waited < Duration::from_secs(9),
        "asked again after 5 s: {waited:?}"
    );
    let passed = agent.modern(&message).await;
    assert_eq!(passed.status, 200, "{}", passed.body);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn j44_an_issuer_that_goes_down_leaves_the_keys_it_gave() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, jwks) = (setup.analyst(), setup.issuer.jwks());
    let later = setup.issuer.token("bob", &["analyst"], "crm:read");
    let stranger = crate::support::Issuer::new().token("eve", &["analyst"], "crm:read");
    let is_up = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_up);
    let issuer = RawPeer::start(move |_| {
        if switch.load(Ordering::SeqCst) {
            Act::Send(http(&jwks))
        } else {
            Act::Break(String::new())
        }
    })
    .await;
    let keys = format!("jwks_uri: http://{}/jwks", issuer.address);
    let gateway = with_keys(setup, &upstream, &keys).await;
    is_up.store(false, Ordering::SeqCst);
    let message = modern("search_x", &json!({}));

    for token in [token, later] {
        let answer = Agent::new(gateway.url(), Some(token))
            .modern(&message)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let forged = Agent::new(gateway.url(), Some(stranger))
        .modern(&message)
        .await;
    assert_refused(&forged, 401, 40102);
    assert_eq!(gateway.readiness().await, 200);
    assert_eq!(upstream.count(), 2);
}

/// An issuer that answers at `places` with its metadata, and at `/keys` with its keys.
async fn issuer_with_metadata_at(place: &'static str, jwks: Value) -> RawPeer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let metadata = json!({
        "issuer": format!("http://{address}/tenant"),
        "jwks_uri": format!("http://{address}/keys"),
    });
    RawPeer::on(listener, move |request| {
        let target = request.split(' ').nth(1).unwrap();
        match target {
            "/keys" => Act::Send(http(&jwks)),
            known if known == place => Act::Send(http(&metadata)),
            _ => Act::Send(NOT_FOUND.to_owned()),
        }
    })
}

#[tokio::test]
async fn keys_are_found_by_rfc_8414_and_by_openid_discovery() {
    for place in [
        "/.well-known/oauth-authorization-server/tenant",
        "/tenant/.well-known/openid-configuration",
        "/.well-known/openid-configuration/tenant",
    ] {
        let upstream = Upstream::plain().await;
        let setup = Setup::default();
        let issuer = issuer_with_metadata_at(place, setup.issuer.jwks()).await;
        let url = format!("http://{}/tenant", issuer.address);
        let mut claims = setup.issuer.claims("alice", &["analyst"]);
        claims["iss"] = json!(url);
        claims["scope"] = json!("crm:read");
        let token = setup.issuer.sign_claims(&claims);
        let elsewhere = setup.analyst();
        let yaml = setup.yaml(&upstream.url()).replace(
            "url: https://auth.test\n    jwks_file: jwks.json",
            &format!("url: {url}"),
        );
        let gateway = Gateway::start(setup, yaml).await;
        let message = modern("search_x", &json!({}));

        let answer = Agent::new(gateway.url(), Some(token))
            .modern(&message)
            .await;
        assert_eq!(answer.status, 200, "{place}: {}", answer.body);
        let other = Agent::new(gateway.url(), Some(elsewhere));
        assert_refused(&other.modern(&message).await, 401, 40102);
        assert_eq!(upstream.count(), 1);
    }
}

#[tokio::test]
async fn j49_metadata_of_another_issuer_gives_no_keys() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let place = "/.well-known/oauth-authorization-server/other";
    let issuer = issuer_with_metadata_at(place, setup.issuer.jwks()).await;
    let url = format!("http://{}/other", issuer.address);
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["iss"] = json!(url);
    let token = setup.issuer.sign_claims(&claims);
    let yaml = setup.yaml(&upstream.url()).replace(
        "url: https://auth.test\n    jwks_file: jwks.json",
        &format!("url: {url}"),
    );
    let gateway = Gateway::start(setup, yaml).await;

    let agent = Agent::new(gateway.url(), Some(token));
    let answer = agent.modern(&modern("search_x", &json!({}))).await;

    assert_refused(&answer, 503, 50301);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn j41_tokens_that_name_unknown_keys_cannot_make_the_gateway_ask_often() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let jwks = setup.issuer.jwks();
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k2" });
    let claims = setup.issuer.claims("alice", &["analyst"]);
    let token = setup.issuer.sign(&header, &claims);
    let issuer = Upstream::start(move |_| Reply::json(&jwks)).await;
    let keys = format!("jwks_uri: http://{}/jwks", issuer.address);
    let gateway = with_keys(setup, &upstream, &keys).await;
    let agent = Agent::new(gateway.url(), Some(token));

    for _ in 0..20 {
        let answer = agent.modern(&modern("search_x", &json!({}))).await;
        assert_refused(&answer, 401, 40102);
    }

    assert_eq!(issuer.count(), 1, "the fetch at the start, and no other");
    assert_eq!(upstream.count(), 0);
}

/// Waits for `condition`, at most 20 s.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came to be");
}
