//! Opaque tokens: what the issuer is asked, what of its word is believed, and for how long (RFC 7662).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused, billing, challenge};
use crate::support::{Agent, Answer, Gateway, Reply, Setup, Upstream, modern, now, resource};

/// A token that is no JWT.
const OPAQUE: &str = "mF_9.B5f-4.1JqM.abc";

/// An issuer's introspection endpoint, whose answer the test can change.
struct Endpoint {
    server: Upstream,
    reply: Arc<Mutex<Reply>>,
}

impl Endpoint {
    async fn saying(answer: &Value) -> Self {
        let reply = Arc::new(Mutex::new(Reply::json(answer)));
        let said = Arc::clone(&reply);
        let server = Upstream::start(move |_| said.lock().unwrap().clone()).await;
        Self { server, reply }
    }

    fn say(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    fn asked(&self) -> usize {
        self.server.count()
    }
}

/// What a good answer says.
fn active() -> Value {
    json!({
        "active": true, "iss": "https://auth.test", "aud": resource(), "sub": "alice", "client_id": "agent-1",
        "iat": now(), "exp": now() + 600, "scope": "crm:read", "roles": ["analyst"], "jti": "o-1",
    })
}

fn bent(change: &Value) -> Value {
    let mut answer = active();
    for (name, value) in change.as_object().unwrap() {
        if value == "-" {
            answer.as_object_mut().unwrap().remove(name);
        } else {
            answer[name] = value.clone();
        }
    }
    answer
}

/// A gateway whose issuer can be asked at `endpoint`, remembering answers for `cache`.
async fn asking(endpoint: &Endpoint, cache: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let yaml = yaml(&setup, &upstream, endpoint, cache);
    (Gateway::start(setup, yaml).await, upstream)
}

fn yaml(setup: &Setup, upstream: &Upstream, endpoint: &Endpoint, cache: &str) -> String {
    std::fs::write(setup.folder.path().join("secret"), "s e:c/ret\n").unwrap();
    let keys = format!(
        "    jwks_file: jwks.json\n    introspection: {{ endpoint: \"{}\", client_id: \"gate way\", client_secret_file: secret, cache: {cache} }}\n",
        endpoint.server.url()
    );
    setup
        .yaml(&upstream.url())
        .replace("    jwks_file: jwks.json\n", &keys)
}

async fn call(gateway: &Gateway, token: &str) -> Answer {
    let agent = Agent::new(gateway.url(), Some(token.to_owned()));
    agent.modern(&modern("search_x", &json!({}))).await
}

#[tokio::test]
async fn j57_an_opaque_token_is_taken_where_its_issuer_can_be_asked() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    let answer = call(&gateway, OPAQUE).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!((endpoint.asked(), upstream.count()), (1, 1));
    let record = &gateway.records_of("decision").await[0];
    assert_eq!(record["sub"], "alice");
    assert_eq!(record["subject"]["roles"], json!(["analyst"]));
    assert_eq!(record["actor"]["client_id"], "agent-1");
    assert_eq!(record["authn"]["scheme"], "bearer");
    assert_eq!(record["token_id"], "o-1");
    assert!(!record.to_string().contains(OPAQUE), "never on record");

    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let gateway = setup.start(&upstream).await;
    assert_refused(&call(&gateway, OPAQUE).await, 401, 40102);
    assert_eq!(gateway.only_record().await["authn"]["result"], "malformed");
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn conditions_see_the_claims_and_details_that_the_issuer_tells() {
    let told =
        json!({ "tenant": "acme", "authorization_details": [{ "type": "search", "up_to": 10 }] });
    let endpoint = Endpoint::saying(&bent(&told)).await;
    let upstream = Upstream::plain().await;
    let row = "{ tool: search_x, details: search, when: 'principal.claims.tenant == \"acme\" && context.args.limit <= context.details.up_to' }";
    let setup = Setup {
        roles: format!("    analyst:\n      crm:\n        - {row}\n"),
        ..Setup::default()
    };
    let yaml = yaml(&setup, &upstream, &endpoint, "1m");
    let gateway = Gateway::start(setup, yaml).await;
    let search = async |token: &str, limit: u64| {
        let agent = Agent::new(gateway.url(), Some(token.to_owned()));
        let message = modern("search_x", &json!({ "limit": limit }));
        agent.modern(&message).await.status
    };
    assert_eq!(search(OPAQUE, 10).await, 200);
    assert_eq!(search(OPAQUE, 11).await, 403);
    endpoint.say(Reply::json(&bent(&json!({ "tenant": "globex" }))));
    assert_eq!(search("another", 10).await, 403);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn the_issuer_is_asked_as_a_client_of_its_own() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, _upstream) = asking(&endpoint, "1m").await;
    assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    let asked = endpoint.server.arrived().remove(0);
    assert_eq!(asked.method, "POST");
    let basic = STANDARD.encode("gate+way:s+e%3Ac%2Fret");
    assert_eq!(
        asked.header("authorization"),
        Some(format!("Basic {basic}").as_str()),
        "RFC 6749 section 2.3.1: encoded before it is joined"
    );
    assert_eq!(asked.header("accept"), Some("application/json"));
    let form: Vec<_> = url::form_urlencoded::parse(&asked.body).collect();
    assert_eq!(
        form,
        [
            ("token".into(), OPAQUE.into()),
            ("token_type_hint".into(), "access_token".into())
        ]
    );
}

#[tokio::test]
async fn an_answer_is_believed_for_its_time_and_no_longer() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    for _ in 0..3 {
        assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    }
    assert_eq!((endpoint.asked(), upstream.count()), (1, 3));

    let (gateway, upstream) = asking(&endpoint, "0s").await;
    for _ in 0..3 {
        assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    }
    assert_eq!((endpoint.asked(), upstream.count()), (4, 3));
    endpoint.say(Reply::json(&json!({ "active": false })));
    assert_refused(&call(&gateway, OPAQUE).await, 401, 40102);
    assert_eq!(upstream.count(), 3, "revoked at once");
}

#[tokio::test]
async fn j56_a_reload_forgets_what_was_said() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, _upstream) = asking(&endpoint, "1m").await;
    assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    gateway.running.reload().await.unwrap();
    endpoint.say(Reply::json(&json!({ "active": false })));
    assert_refused(&call(&gateway, OPAQUE).await, 401, 40102);
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_not_active_is_refused_and_not_asked_about_again() {
    let endpoint = Endpoint::saying(&json!({ "active": false })).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    for _ in 0..3 {
        let answer = call(&gateway, OPAQUE).await;
        assert_refused(&answer, 401, 40102);
        assert_eq!(challenge(&answer).parameter("error"), Some("invalid_token"));
    }
    assert_eq!((endpoint.asked(), upstream.count()), (1, 0));
    for record in gateway.settled().await {
        assert_eq!(record["authn"]["result"], "inactive");
    }
    endpoint.say(Reply::json(&active()));
    assert_eq!(
        call(&gateway, "another").await.status,
        200,
        "it is about one token"
    );
}

/// Answers about an active token that is of no use here, with the result of each.
fn wrong_answers() -> Vec<(&'static str, Value)> {
    let time = now();
    vec![
        ("wrong_issuer", json!({ "iss": "https://auth.test/" })),
        ("wrong_issuer", json!({ "iss": 5 })),
        ("wrong_audience", json!({ "aud": "-" })),
        ("wrong_audience", json!({ "aud": "https://other.test" })),
        ("malformed", json!({ "exp": "-" })),
        ("malformed", json!({ "exp": "soon" })),
        ("expired", json!({ "exp": time - 31, "iat": time - 60 })),
        ("not_yet_valid", json!({ "nbf": time + 3600 })),
        ("not_yet_valid", json!({ "iat": time + 3600 })),
        ("too_long_lived", json!({ "exp": time + 7200 })),
        ("too_long_lived", json!({ "exp": time + 7200, "iat": "-" })),
        ("malformed", json!({ "sub": "" })),
        ("malformed", json!({ "sub": "-", "client_id": "-" })),
        ("malformed", json!({ "act": "agent" })),
        ("wrong_type", json!({ "nonce": "n" })),
        ("wrong_type", json!({ "typ": "Refresh" })),
        ("wrong_type", json!({ "token_use": "id" })),
        ("wrong_type", json!({ "token_type": 5 })),
        ("unknown_confirmation", json!({ "cnf": {} })),
        (
            "key_bound",
            json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
        ),
    ]
}

#[tokio::test]
async fn an_answer_is_checked_like_the_claims_of_a_jwt() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    let cases = wrong_answers();
    for (number, (_, change)) in cases.iter().enumerate() {
        endpoint.say(Reply::json(&bent(change)));
        let answer = call(&gateway, &format!("bad-{number}")).await;
        assert_refused(&answer, 401, 40102);
    }
    assert_eq!(upstream.count(), 0);
    let results: Vec<_> = gateway
        .settled()
        .await
        .iter()
        .map(|record| record["authn"]["result"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = cases.iter().map(|(result, _)| *result).collect();
    assert_eq!(results, expected);
    for (number, change) in [
        json!({ "iss": "-", "iat": "-", "jti": "-" }),
        json!({ "aud": ["https://other.test", resource()] }),
        json!({ "token_type": "bearer", "token_use": "access", "typ": "Bearer" }),
    ]
    .iter()
    .enumerate()
    {
        endpoint.say(Reply::json(&bent(change)));
        let answer = call(&gateway, &format!("good-{number}")).await;
        assert_eq!(answer.status, 200, "{change}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_client_without_a_subject_is_an_agent() {
    let endpoint = Endpoint::saying(&bent(&json!({ "sub": "-" }))).await;
    let (gateway, _upstream) = asking(&endpoint, "1m").await;
    assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    let record = &gateway.records_of("decision").await[0];
    assert_eq!(record["sub"], "agent-1");
    assert_eq!(record["subject"]["type"], "agent");
}

#[tokio::test]
async fn whatever_is_no_clean_answer_is_an_outage() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    let large = format!("{{\"active\":true,\"x\":\"{}\"}}", "x".repeat(300 * 1024));
    let twice = "{\"active\":false,\"active\":true}";
    let outages = [
        Reply::json(&json!({})).status(500),
        Reply::json(&active()).status(401),
        Reply::json(&active())
            .status(302)
            .with("location", "/elsewhere"),
        Reply::body("text/html", "<html>"),
        Reply::json(&json!([active()])),
        Reply::json(&json!({ "active": "true" })),
        Reply::json(&json!({})),
        Reply::body("application/json", twice),
        Reply::body("application/json", Bytes::from(large)),
    ];
    let count = outages.len();
    for outage in outages {
        endpoint.say(outage);
        let answer = call(&gateway, OPAQUE).await;
        assert_refused(&answer, 503, 50304);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!((endpoint.asked(), upstream.count()), (count, 0));
    for record in gateway.settled().await {
        assert_eq!(record["kind"], "authn");
        assert_eq!(record["reason"]["code"], "introspection_unavailable");
    }
    endpoint.say(Reply::json(&active()));
    let answer = call(&gateway, OPAQUE).await;
    assert_eq!(
        answer.status, 200,
        "nothing was kept of it: {}",
        answer.body
    );
    endpoint.say(Reply::json(&json!({})).status(500));
    assert_eq!(
        call(&gateway, OPAQUE).await.status,
        200,
        "what was said holds"
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_given_up() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    endpoint.say(Reply::body("application/json", "{\"active\":").endless());
    let started = std::time::Instant::now();
    let (one, other) = tokio::join!(call(&gateway, OPAQUE), call(&gateway, OPAQUE));
    for answer in [&one, &other] {
        assert_refused(answer, 503, 50304);
    }
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(11), "{taken:?}");
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn many_requests_with_one_new_token_ask_once() {
    let slow = Reply {
        pieces: vec![(
            Duration::from_millis(300),
            Bytes::from(active().to_string()),
        )],
        ..Reply::json(&json!({}))
    };
    let endpoint = Endpoint::saying(&active()).await;
    endpoint.say(slow);
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    let calls = (0..20).map(|_| call(&gateway, OPAQUE));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!((endpoint.asked(), upstream.count()), (1, 20));
}

#[tokio::test]
async fn a_jwt_is_never_shown_to_the_endpoint() {
    let endpoint = Endpoint::saying(&active()).await;
    let (gateway, upstream) = asking(&endpoint, "1m").await;
    let good = gateway.setup.analyst();
    assert_eq!(call(&gateway, &good).await.status, 200);
    let cut = good.trim_end_matches(|last: char| last != '.');
    for bad in ["a.b.c", cut] {
        assert_refused(&call(&gateway, bad).await, 401, 40102);
    }
    assert_eq!(endpoint.asked(), 0);
    assert_eq!(call(&gateway, OPAQUE).await.status, 200, "both at once");
    assert_eq!((endpoint.asked(), upstream.count()), (1, 2));
}

#[tokio::test]
async fn j56_what_was_said_at_one_server_is_nothing_at_another() {
    let endpoint = Endpoint::saying(&active()).await;
    let (upstream, other) = (Upstream::plain().await, Upstream::plain().await);
    let setup = Setup {
        server: billing(&other.url()),
        ..Setup::default()
    };
    let yaml = yaml(&setup, &upstream, &endpoint, "1m");
    let gateway = Gateway::start(setup, yaml).await;
    assert_eq!(call(&gateway, OPAQUE).await.status, 200);
    let url = format!("http://{}/billing/mcp", gateway.address());
    let agent = Agent::new(url, Some(OPAQUE.to_owned()));
    let crossed = agent.modern(&modern("search_x", &json!({}))).await;
    assert_refused(&crossed, 401, 40102);
    assert_eq!((endpoint.asked(), other.count()), (2, 0));
    let records = gateway.records_of("authn").await;
    assert_on_record(&records[0], &crossed, "authn", "token_invalid");
    assert_eq!(records[0]["authn"]["result"], "wrong_audience");
}
