//! Tokens that are bound to a key: served with a new proof of that key for this very request, and with nothing else.

use std::path::Path;
use std::time::Duration;

use gatewright::config::load;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused, sorted_challenges};
use crate::support::{
    Agent, Answer, Gateway, Holder, Issuer, PATH, Reply, Setup, Upstream, hash, headers_of, modern,
    now, presenting, resource, send,
};

/// A gateway with its upstream, and a client that holds a key.
struct Scene {
    gateway: Gateway,
    upstream: Upstream,
    holder: Holder,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        Self::before(Upstream::plain().await).await
    }

    async fn before(upstream: Upstream) -> Self {
        let (setup, holder) = (Setup::default(), Holder::new());
        let token = holder.token(&setup.issuer);
        Self {
            gateway: setup.start(&upstream).await,
            upstream,
            holder,
            token,
        }
    }

    fn issuer(&self) -> &Issuer {
        &self.gateway.setup.issuer
    }

    /// A call with these `DPoP` lines.
    fn request(&self, proofs: &[&str]) -> RequestBuilder {
        let request = presenting(&self.gateway.url(), Method::POST, &self.token, proofs);
        headers_of(request, &message()).body(message().to_string())
    }

    async fn send(&self, proof: &str) -> Answer {
        send(self.request(&[proof])).await
    }

    /// A good call, which shows that nothing else stood in the way.
    async fn assert_served(&self) {
        let calls = self.upstream.count();
        let served = self
            .holder
            .call(&self.gateway.url(), &self.token, &message())
            .await;
        assert_eq!(served.status, 200, "{}", served.body);
        assert_eq!(self.upstream.count(), calls + 1);
    }

    /// The one record there is, of this refusal.
    async fn assert_only_record(&self, refused: &Answer, reason: &str, result: &str) -> Value {
        assert_eq!(self.upstream.count(), 0, "nothing reached the upstream");
        let record = self.gateway.only_record().await;
        assert_on_record(&record, refused, "authn", reason);
        assert_eq!(record["authn"]["scheme"], "dpop", "{record:#}");
        assert_eq!(record["authn"]["result"], result, "{record:#}");
        record
    }
}

fn message() -> Value {
    modern("search_x", &json!({}))
}

/// A refused proof: the error stands with DPoP alone.
#[track_caller]
fn assert_bad_proof(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(
        errors(answer),
        [None, Some("invalid_dpop_proof".to_owned())]
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("dpop-nonce"), None);
}

/// The errors of both challenges, Bearer's first.
fn errors(answer: &Answer) -> [Option<String>; 2] {
    let read = sorted_challenges(&answer.headers);
    let schemes: Vec<_> = read.iter().map(|read| read.scheme.as_str()).collect();
    assert_eq!(schemes, ["Bearer", "DPoP"]);
    let error = |index: usize| read[index].parameter("error").map(ToOwned::to_owned);
    [error(0), error(1)]
}

#[tokio::test]
async fn a_bound_token_is_served_with_its_proof_and_the_record_names_the_key() {
    let scene = Scene::new().await;
    scene.assert_served().await;
    let decisions = scene.gateway.records_of("decision").await;
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0]["authn"]["scheme"], "dpop");
    assert_eq!(decisions[0]["authn"]["jkt"], scene.holder.jkt());
    let counted = r#"gatewright_authn_attempts_total{result="ok",scheme="dpop",server="crm"} 1"#;
    let metrics = scene.gateway.metrics().await;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn d01_two_proofs_are_refused() {
    let scene = Scene::new().await;
    let (one, two) = (
        scene.holder.proof(&scene.token),
        scene.holder.proof(&scene.token),
    );
    let refused = send(scene.request(&[&one, &two])).await;
    assert_bad_proof(&refused);
    scene
        .assert_only_record(&refused, "dpop_proof_invalid", "dpop_invalid")
        .await;
    assert_bad_proof(&scene.send(&format!("{one}, {two}")).await);
    assert_eq!(scene.upstream.count(), 0);
    assert_eq!(scene.send(&one).await.status, 200, "neither was used");
}

#[tokio::test]
async fn d02_to_d12_a_proof_for_anything_but_this_request_is_refused() {
    let scene = Scene::new().await;
    let token = &scene.token;
    let claimed = |change: Value| scene.holder.bent(token, &json!({}), &change);
    let headed = |change: Value| scene.holder.bent(token, &change, &json!({}));
    let good = scene.holder.proof(token);
    let bad = [
        ("d02", String::new()),
        ("d02", format!("{good}.x")),
        ("d02", "{}".to_owned()),
        ("d03", claimed(json!({"jti": "-"}))),
        ("d03", claimed(json!({"ath": "-"}))),
        ("d04", headed(json!({"typ": "at+jwt"}))),
        ("d05", headed(json!({"alg": "none"}))),
        ("d06", headed(json!({"jwk": Holder::new().jwk()}))),
        ("d08", claimed(json!({"htm": "GET"}))),
        ("d08", claimed(json!({"htm": "post"}))),
        ("d09", claimed(json!({"htu": format!("{}x", resource())}))),
        ("d09", claimed(json!({"htu": scene.gateway.url()}))),
        ("d09b", claimed(json!({"htu": format!("{}?", resource())}))),
        ("d11", claimed(json!({"iat": now() - 310}))),
        ("d11", claimed(json!({"iat": now() + 310}))),
        ("d12", claimed(json!({"ath": hash("another")}))),
    ];
    for (row, proof) in &bad {
        let refused = scene.send(proof).await;
        assert_bad_proof(&refused);
        assert_refused(&refused, 401, refused.code().unwrap());
        assert!(!refused.body.contains("htu"), "{row}: says no more");
    }
    assert_eq!(scene.upstream.count(), 0);
    let records = scene.gateway.settled().await;
    assert_eq!(records.len(), bad.len(), "one record each");
    assert_eq!(scene.send(&good).await.status, 200);
    let normal = claimed(json!({"htu": "HTTP://LOCALHOST:8080/./crm/%6dcp/"}));
    assert_eq!(scene.send(&normal).await.status, 200, "d09a");
}

#[tokio::test]
async fn d07_a_private_key_in_a_proof_is_refused_and_kept_nowhere() {
    let scene = Scene::new().await;
    let mut leaked = scene.holder.jwk();
    leaked["d"] = json!("cHJpdmF0ZS1wYXJ0LW9mLXRoZS1rZXk");
    let proof = scene
        .holder
        .bent(&scene.token, &json!({"jwk": leaked}), &json!({}));
    let refused = scene.send(&proof).await;
    assert_bad_proof(&refused);
    let record = scene
        .assert_only_record(&refused, "dpop_proof_invalid", "dpop_private_key")
        .await;
    for text in [record.to_string(), refused.body.clone()] {
        assert!(!text.contains("cHJpdmF0ZS"), "{text}");
    }
    scene.assert_served().await;
}

#[tokio::test]
async fn d09c_what_a_request_says_of_its_host_makes_no_proof_good() {
    let scene = Scene::new().await;
    let port = scene.gateway.address().port();
    let lies = |request: RequestBuilder| {
        request
            .header("host", format!("localhost:{port}"))
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "host=evil.example;proto=https")
    };
    for url in [
        format!("https://evil.example{PATH}"),
        format!("http://evil.example{PATH}"),
        format!("http://localhost:{port}{PATH}"),
    ] {
        let proof = scene
            .holder
            .bent(&scene.token, &json!({}), &json!({"htu": url}));
        assert_bad_proof(&send(lies(scene.request(&[&proof]))).await);
    }
    assert_eq!(scene.upstream.count(), 0);
    let good = scene.holder.proof(&scene.token);
    assert_eq!(send(lies(scene.request(&[&good]))).await.status, 200);
}

#[tokio::test]
async fn d12a_a_proof_by_another_key_makes_the_token_invalid() {
    let scene = Scene::new().await;
    let refused = scene.send(&Holder::new().proof(&scene.token)).await;
    assert_refused(&refused, 401, 40102);
    assert_eq!(errors(&refused), [None, Some("invalid_token".to_owned())]);
    scene
        .assert_only_record(&refused, "token_invalid", "dpop_wrong_key")
        .await;
    scene.assert_served().await;
}

#[tokio::test]
async fn d13_a_proof_used_twice_is_refused() {
    let scene = Scene::new().await;
    let proof = scene.holder.proof(&scene.token);
    assert_eq!(scene.send(&proof).await.status, 200);
    let replayed = scene.send(&proof).await;
    assert_bad_proof(&replayed);
    assert_eq!(scene.upstream.count(), 1, "the second reached nobody");
    let records = scene.gateway.records_of("authn").await;
    assert_eq!(records.len(), 1);
    assert_on_record(&records[0], &replayed, "authn", "dpop_proof_invalid");
    assert_eq!(records[0]["authn"]["result"], "dpop_replay");
    scene.assert_served().await;
}

#[tokio::test]
async fn d13_of_many_that_send_one_proof_at_once_one_is_served() {
    let scene = Scene::new().await;
    let proof = scene.holder.proof(&scene.token);
    let sending = (0..16).map(|_| scene.send(&proof));
    let answers = futures_util::future::join_all(sending).await;
    let served = answers.iter().filter(|answer| answer.status == 200);
    assert_eq!(served.count(), 1);
    assert_eq!(scene.upstream.count(), 1);
}

#[tokio::test]
async fn d18_a_bound_token_as_bearer_is_refused_with_and_without_a_proof() {
    let scene = Scene::new().await;
    let agent = Agent::new(scene.gateway.url(), Some(scene.token.clone()));
    let proof = scene.holder.proof(&scene.token);
    let without = headers_of(agent.request(Method::POST), &message());
    let with = headers_of(agent.request(Method::POST), &message()).header("dpop", &proof);
    for request in [without, with] {
        let refused = send(request.body(message().to_string())).await;
        assert_refused(&refused, 401, 40102);
        assert_eq!(errors(&refused), [Some("invalid_token".to_owned()), None]);
    }
    assert_eq!(scene.upstream.count(), 0);
    let records = scene.gateway.settled().await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["authn"]["scheme"], "bearer");
        assert_eq!(record["authn"]["result"], "key_bound");
    }
    assert_eq!(scene.send(&proof).await.status, 200, "it was not used up");
}

#[tokio::test]
async fn d19_a_token_that_is_bound_to_nothing_is_refused_in_the_scheme_dpop() {
    let scene = Scene::new().await;
    let unbound = scene.gateway.setup.analyst();
    let refused = scene
        .holder
        .call(&scene.gateway.url(), &unbound, &message())
        .await;
    assert_refused(&refused, 401, 40102);
    assert_eq!(errors(&refused), [None, Some("invalid_token".to_owned())]);
    scene
        .assert_only_record(&refused, "token_invalid", "not_bound")
        .await;
    let agent = Agent::new(scene.gateway.url(), Some(unbound));
    assert_eq!(agent.modern(&message()).await.status, 200);
}

#[tokio::test]
async fn d20_the_scheme_dpop_without_a_proof_is_refused() {
    let scene = Scene::new().await;
    let refused = send(scene.request(&[])).await;
    assert_bad_proof(&refused);
    let read = sorted_challenges(&refused.headers);
    let algorithms = read[1].parameter("algs").unwrap();
    assert_eq!(algorithms, "ES256 ES384 EdDSA PS256 RS256");
    scene
        .assert_only_record(&refused, "dpop_proof_invalid", "dpop_missing")
        .await;
    scene.assert_served().await;
}

#[tokio::test]
async fn d24_neither_token_nor_proof_reaches_the_upstream() {
    let scene = Scene::new().await;
    scene.assert_served().await;
    let arrived = &scene.upstream.arrived()[0];
    for name in ["dpop", "authorization"] {
        assert_eq!(arrived.header(name), None);
    }
    let all = format!("{:?}", arrived.headers);
    assert!(!all.contains(&scene.token) && !all.contains("eyJ"), "{all}");
}

#[tokio::test]
async fn d25_nothing_is_redirected_for_then_the_proof_would_not_fit() {
    let elsewhere = Upstream::start(|_| {
        Reply::body("text/plain", "")
            .status(307)
            .with("location", "https://evil.example/mcp")
    })
    .await;
    let scene = Scene::before(elsewhere).await;
    let url = scene.gateway.url();
    let moved = scene.holder.call(&url, &scene.token, &message()).await;
    assert_eq!(moved.status, 502, "{}", moved.body);
    assert_eq!(moved.header("location"), None);

    let scene = Scene::new().await;
    let slash = format!("{}/", scene.gateway.url());
    let served = scene.holder.call(&slash, &scene.token, &message()).await;
    assert_eq!(
        served.status, 200,
        "both forms of the path are one endpoint"
    );
    let claim = json!({"htu": format!("{}/", resource())});
    let proof = scene.holder.bent(&scene.token, &json!({}), &claim);
    assert_eq!(scene.send(&proof).await.status, 200);
}

#[tokio::test]
async fn d28_a_stream_is_opened_by_a_proof_and_ends_with_its_token() {
    let upstream = Upstream::start(|_| {
        let event = (Duration::from_millis(100), ": still here\n\n".into());
        let mut reply = Reply::events(Vec::new()).endless();
        reply.pieces = vec![event; 100];
        reply
    })
    .await;
    let scene = Scene::before(upstream).await;
    // Half a minute of leeway has almost run out.
    let end = json!({"iat": now() - 60, "exp": now() - 28});
    let token = scene.holder.token_with(scene.issuer(), &end);
    let get = |claim: Value| {
        let proof = scene.holder.bent(&token, &json!({}), &claim);
        presenting(&scene.gateway.url(), Method::GET, &token, &[&proof])
            .header("mcp-protocol-version", "2025-11-25")
    };
    assert_bad_proof(&send(get(json!({"htm": "POST"}))).await);
    let stream = get(json!({"htm": "GET"})).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let read = tokio::time::timeout(Duration::from_secs(6), stream.bytes()).await;
    let heard = read.expect("the stream ends before the upstream's ten seconds");
    let beats = heard.expect("it ends in order").len() / 3;
    assert!((1..100).contains(&beats), "{beats}");
}

#[test]
fn d30_a_proof_covers_no_body_so_agents_elsewhere_need_tls() {
    let setup = Setup::default();
    let yaml = setup.yaml("http://127.0.0.1:9/mcp");
    let file = setup.folder.path().join("gatewright.yaml");
    let mistakes = |text: &str| match load::parse(text, Path::new(&file), &|_| None) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.to_string(),
    };
    assert_eq!(mistakes(&yaml), "");
    let open = yaml.replace(
        "listen: { address: 127.0.0.1:0 }",
        "listen: { address: \"0.0.0.0:8080\" }",
    );
    assert!(
        mistakes(&open).contains("plain-listener"),
        "{}",
        mistakes(&open)
    );
}
