//! Tokens in odd places, and what a stranger learns from a refusal: one answer for all that prove nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::edge::raw;
use crate::support::{Agent, Answer, Gateway, Issuer, PATH, call, now, send};
use crate::token_rows::{status, usual};

/// A call with exactly these credential lines.
async fn with_lines(gateway: &Gateway, lines: &[&str], query: &str) -> Answer {
    let body = call("search_x", &json!({})).to_string();
    let lines: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    let request = format!(
        "POST {PATH}{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n{lines}\r\n{body}",
        body.len()
    );
    raw(gateway.address(), &request).await
}

/// What a client can see of a refusal, but for the number of the request.
fn visible(answer: &Answer) -> (u16, Vec<String>, Value) {
    let lines = answer.headers.get_all("www-authenticate").iter();
    let lines = lines.map(|line| line.to_str().unwrap().to_owned());
    let mut body = answer.json();
    body["error"]["data"]["request_id"] = Value::Null;
    body["error"]["data"]["decision_id"] = Value::Null;
    (answer.status, lines.collect(), body)
}

#[tokio::test]
async fn j51_a_token_in_the_query_is_refused_and_kept_nowhere() {
    let (gateway, upstream, token) = usual().await;
    let good = format!("Authorization: Bearer {token}");
    let query = format!("?access_token={token}");
    let answer = with_lines(&gateway, &[], &query).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 1);
    assert!(!format!("{records:?}").contains(&token));
    assert!(!gateway.metrics().await.contains(&token));
    assert_eq!(upstream.count(), 0);
    assert_eq!(with_lines(&gateway, &[&good], "").await.status, 200);
}

#[tokio::test]
async fn j52_a_token_in_two_places_is_refused() {
    let (gateway, upstream, token) = usual().await;
    let good = format!("Authorization: Bearer {token}");
    for query in [
        format!("?access_token={token}"),
        "?access_token=".to_owned(),
        "?%61ccess_token=x".to_owned(),
    ] {
        let answer = with_lines(&gateway, &[&good], &query).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    let request = Agent::new(gateway.url(), Some(token.clone())).request(Method::POST);
    let request = request
        .headers([form()].into_iter().collect())
        .body(format!("access_token={token}"));
    assert_eq!(send(request).await.status, 415, "a form is no message");
    assert_eq!(upstream.count(), 0);
    assert_eq!(with_lines(&gateway, &[&good], "?x=1").await.status, 200);
}

fn form() -> (reqwest::header::HeaderName, reqwest::header::HeaderValue) {
    let media = "application/x-www-form-urlencoded";
    (
        reqwest::header::CONTENT_TYPE,
        reqwest::header::HeaderValue::from_static(media),
    )
}

#[tokio::test]
async fn j53_two_credentials_are_refused_in_every_form_and_version() {
    let (gateway, upstream, token) = usual().await;
    let good = format!("Authorization: Bearer {token}");
    let joined = format!("{good}, Bearer bad");
    let dpop = format!("Authorization: DPoP {token}");
    for lines in [
        vec![good.as_str(), "Authorization: Bearer bad"],
        vec!["Authorization: Bearer bad", &good],
        vec![good.as_str(), &good],
        vec![good.as_str(), &dpop],
        vec![joined.as_str()],
    ] {
        let answer = with_lines(&gateway, &lines, "").await;
        assert_eq!(answer.status, 400, "{}", lines.len());
    }
    let http2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let asked = |lines: &[&str]| {
        let request = http2.post(gateway.url());
        let request = request
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-11-25");
        let bearer = |request: reqwest::RequestBuilder, token: &&str| {
            request.header("authorization", format!("Bearer {token}"))
        };
        let request = lines.iter().fold(request, bearer);
        request.body(call("search_x", &json!({})).to_string())
    };
    assert_eq!(send(asked(&[&token, "bad"])).await.status, 400);
    assert_eq!(upstream.count(), 0);
    assert_eq!(send(asked(&[&token])).await.status, 200);
}

#[tokio::test]
async fn j54_the_scheme_has_no_case_and_one_space() {
    let (gateway, upstream, token) = usual().await;
    for line in [
        format!("Authorization: bearer {token}"),
        format!("Authorization: BEARER {token}"),
    ] {
        assert_eq!(with_lines(&gateway, &[&line], "").await.status, 200);
    }
    let before = upstream.count();
    for credentials in [
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer{token}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {token} y"),
        format!("Bearer \"{token}\""),
    ] {
        let line = format!("Authorization: {credentials}");
        let answer = with_lines(&gateway, &[&line], "").await;
        assert!(matches!(answer.status, 400 | 401), "{}", answer.body);
        let again = with_lines(&gateway, &[&line], "").await;
        assert_eq!(visible(&again), visible(&answer), "the same answer always");
    }
    assert_eq!(upstream.count(), before);
}

#[tokio::test]
async fn j55_a_token_elsewhere_is_neither_believed_nor_passed_on() {
    let (gateway, upstream, token) = usual().await;
    let places = [
        format!("Cookie: access_token={token}"),
        format!("Proxy-Authorization: Bearer {token}"),
        format!("X-Forwarded-Access-Token: {token}"),
        format!("X-Auth-Token: {token}"),
        format!("Sec-WebSocket-Protocol: bearer, {token}"),
    ];
    for line in &places {
        let answer = with_lines(&gateway, &[line], "").await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    assert_eq!(upstream.count(), 0);
    let good = format!("Authorization: Bearer {token}");
    for line in &places {
        let answer = with_lines(&gateway, &[&good, line], "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), places.len());
    for request in arrived {
        let text = format!("{:?}", request.headers);
        assert!(!text.contains(&token), "the token arrived");
    }
}

#[tokio::test]
async fn j57_an_opaque_token_is_refused_where_nobody_can_be_asked() {
    let (gateway, upstream, token) = usual().await;
    for opaque in ["abc", "2YotnFZFEjr1zCsicMWpAA"] {
        assert_eq!(status(&gateway, opaque).await, 401);
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(status(&gateway, &token).await, 200);
}

/// One token for every reason to refuse that a stranger may be curious about.
fn curious(issuer: &Issuer) -> Vec<String> {
    let header = |kid: &str| json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
    let good = issuer.claims("alice", &["analyst"]);
    let bent = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        issuer.sign(&header("k1"), &claims)
    };
    vec![
        issuer.sign(&header("unknown"), &good),
        Issuer::new().sign(&header("k1"), &good),
        bent("exp", json!(now() - 120)),
        bent("iss", json!("https://evil.example")),
        bent("aud", json!("https://evil.example")),
        bent("nbf", json!(now() + 600)),
        bent("jti", json!("")),
        bent("cnf", json!({"kid": "x"})),
        issuer.sign(&json!({"alg": "none"}), &good),
        "abc".to_owned(),
    ]
}

#[tokio::test]
async fn j59_every_bad_token_gets_one_and_the_same_answer() {
    let (gateway, upstream, token) = usual().await;
    let mut answers = Vec::new();
    for token in curious(&gateway.setup.issuer) {
        let line = format!("Authorization: Bearer {token}");
        answers.push(visible(&with_lines(&gateway, &[&line], "").await));
    }
    assert_eq!(answers[0].0, 401);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:#?}"
    );
    assert_eq!(upstream.count(), 0);
    assert_eq!(status(&gateway, &token).await, 200);
}

#[tokio::test]
async fn j58_nothing_of_a_token_gets_into_a_challenge() {
    let (gateway, upstream, _) = usual().await;
    let issuer = &gateway.setup.issuer;
    for evil in [
        "x\", error=\"none",
        "a\\\"b",
        "c\r\nX-Evil: 1",
        "d\u{e9}\u{202e}",
    ] {
        let mut claims = issuer.claims("alice", &["analyst"]);
        let by_kid = issuer.sign(
            &json!({"alg": "ES256", "typ": "at+jwt", "kid": evil}),
            &claims,
        );
        claims["iss"] = json!(evil);
        let by_iss = issuer.sign_claims(&claims);
        let expected = with_lines(&gateway, &["Authorization: Bearer abc"], "").await;
        for token in [by_kid, by_iss] {
            let line = format!("Authorization: Bearer {token}");
            let answer = with_lines(&gateway, &[&line], "").await;
            assert_eq!(visible(&answer), visible(&expected));
            assert_eq!(answer.header("x-evil"), None);
        }
    }
    assert_eq!(upstream.count(), 0);
}
