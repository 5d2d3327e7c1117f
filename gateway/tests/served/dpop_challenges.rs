//! The challenges where tokens may be bound to keys: RFC 9449 section 7.2, word for word.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::edge::{metadata_url, sorted_challenges};
use crate::grammar::Challenge;
use crate::support::{
    Agent, Answer, Gateway, Holder, Setup, Upstream, headers_of, modern, presenting, send,
};

async fn usual(server: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        server: server.to_owned(),
        ..Setup::default()
    };
    (setup.start(&upstream).await, upstream)
}

fn message() -> Value {
    modern("search_x", &json!({}))
}

async fn call(request: RequestBuilder) -> Answer {
    send(headers_of(request, &message()).body(message().to_string())).await
}

fn post(gateway: &Gateway) -> RequestBuilder {
    Agent::new(gateway.url(), None).request(Method::POST)
}

/// The lines as they were sent.
fn lines(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.get_all("www-authenticate").iter();
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

fn read(answer: &Answer) -> [Challenge; 2] {
    sorted_challenges(&answer.headers).try_into().unwrap()
}

#[tokio::test]
async fn d27_without_credentials_both_schemes_are_offered_without_an_error() {
    let (gateway, upstream) = usual("").await;
    let answer = call(post(&gateway)).await;
    assert_eq!(answer.status, 401);
    let metadata = metadata_url();
    assert_eq!(
        lines(&answer),
        [
            format!(r#"Bearer resource_metadata="{metadata}", scope="crm:read""#),
            format!(r#"DPoP resource_metadata="{metadata}", algs="ES256 ES384 EdDSA PS256 RS256""#),
        ]
    );
    assert_eq!(answer.header("dpop-nonce"), None);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn d27_the_error_stands_with_the_scheme_that_was_used() {
    let (gateway, upstream) = usual("").await;
    let holder = Holder::new();
    let bearer = call(post(&gateway).header("authorization", "Bearer a.b.c")).await;
    let proof = holder.proof("a.b.c");
    let dpop = presenting(&gateway.url(), Method::POST, "a.b.c", &[&proof]);
    let dpop = call(dpop).await;
    for (answer, errors) in [
        (&bearer, [Some("invalid_token"), None]),
        (&dpop, [None, Some("invalid_token")]),
    ] {
        assert_eq!(answer.status, 401);
        let read = read(answer);
        assert_eq!(
            [read[0].parameter("error"), read[1].parameter("error")],
            errors
        );
        let metadata = metadata_url();
        for challenge in &read {
            assert_eq!(
                challenge.parameter("resource_metadata"),
                Some(metadata.as_str())
            );
            assert_eq!(challenge.parameter("error_description"), None);
        }
        assert_eq!(read[0].parameter("algs"), None);
        assert!(read[1].parameter("algs").is_some());
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn d27_what_is_ambiguous_is_an_error_of_both_schemes() {
    let (gateway, upstream) = usual("").await;
    let token = gateway.setup.analyst();
    let both = post(&gateway)
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", format!("DPoP {token}"));
    let answer = call(both).await;
    assert_eq!(answer.status, 400);
    for challenge in read(&answer) {
        assert_eq!(challenge.parameter("error"), Some("invalid_request"));
    }
    assert_eq!(upstream.count(), 0);
    let one = post(&gateway).header("authorization", format!("Bearer {token}"));
    assert_eq!(call(one).await.status, 200);
}

#[tokio::test]
async fn d27_a_server_that_demands_a_key_refuses_a_token_without_one() {
    let (gateway, upstream) = usual("    sender_constraint: dpop\n").await;
    let (holder, unbound) = (Holder::new(), gateway.setup.analyst());
    let plain = post(&gateway).header("authorization", format!("Bearer {unbound}"));
    let refused = call(plain).await;
    assert_eq!(refused.status, 401);
    assert_eq!(read(&refused)[0].parameter("error"), Some("invalid_token"));
    assert_eq!(gateway.only_record().await["authn"]["result"], "not_bound");
    assert_eq!(upstream.count(), 0);
    let bound = holder.token(&gateway.setup.issuer);
    let served = holder.call(&gateway.url(), &bound, &message()).await;
    assert_eq!(served.status, 200, "{}", served.body);
}

#[tokio::test]
async fn d26_a_browser_may_read_challenge_and_nonce() {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        extra: "dpop: { nonce: required }\n".to_owned(),
        ..Setup::default()
    };
    let gateway = setup.start(&upstream).await;
    let holder = Holder::new();
    let token = holder.token(&gateway.setup.issuer);
    let proof = holder.proof(&token);
    let from = |origin: &str| {
        presenting(&gateway.url(), Method::POST, &token, &[&proof]).header("origin", origin)
    };
    let answer = call(from("http://localhost:3000")).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("dpop-nonce").is_some());
    let readable = answer.header("access-control-expose-headers").unwrap();
    for name in ["WWW-Authenticate", "DPoP-Nonce", "Mcp-Session-Id"] {
        assert!(
            readable.split(", ").any(|known| known == name),
            "{readable}"
        );
    }
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("http://localhost:3000")
    );
    let foreign = call(from("https://evil.example")).await;
    assert_eq!(foreign.status, 403);
    assert_eq!(foreign.header("access-control-expose-headers"), None);
    assert_eq!(foreign.header("dpop-nonce"), None);
    assert_eq!(upstream.count(), 0);
}
