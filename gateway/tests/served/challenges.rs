//! What is answered to a caller who proved nothing: the challenge of RFC 6750 and RFC 9728, word for word.

use crate::edge::{assert_on_record, assert_refused, challenge, metadata_url, raw};
use crate::support::{Agent, Answer, Gateway, PATH, Setup, Upstream, call, modern, send};
use reqwest::Method;
use serde_json::{Value, json};

async fn usual() -> (Gateway, Upstream, String) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    (setup.start(&upstream).await, upstream, token)
}

#[tokio::test]
async fn p06_every_method_and_form_of_the_path_without_a_token_gets_the_same_challenge() {
    let (gateway, upstream, _token) = usual().await;
    let expected = format!(
        r#"Bearer resource_metadata="{}", scope="crm:read""#,
        metadata_url()
    );
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
    ];
    let forms = [PATH.to_owned(), format!("{PATH}/"), format!("{PATH}?a=b")];
    for (method, form) in methods
        .iter()
        .flat_map(|method| forms.iter().map(move |form| (*method, form)))
    {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{form}", gateway.address());
        let answer = send(Agent::new(url, None).request(method.clone())).await;

        assert_eq!(answer.status, 401, "{method} {form}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(expected.as_str()),
            "{method} {form}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        if method != Method::HEAD {
            assert_refused(&answer, 401, 40101);
            assert_eq!(answer.json()["id"], Value::Null);
        }
        assert_eq!(challenge(&answer).parameter("error"), None);
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(
        records.len(),
        methods.len() * forms.len(),
        "one record each"
    );
    for record in &records {
        assert_eq!(record["kind"], "authn");
        assert_eq!(record["reason"]["code"], "credential_missing");
    }
}

#[tokio::test]
async fn a_scheme_that_is_not_bearer_is_no_credential() {
    let (gateway, upstream, token) = usual().await;
    let request = Agent::new(gateway.url(), None).request(Method::POST);
    let basic = send(
        request
            .header("authorization", "Basic YTpi")
            .body(call("search_x", &json!({})).to_string()),
    )
    .await;
    assert_refused(&basic, 401, 40101);
    assert_eq!(challenge(&basic).parameter("error"), None);
    assert_eq!(upstream.count(), 0);

    let request = Agent::new(gateway.url(), None).request(Method::POST);
    let lower = send(
        request
            .header("authorization", format!("bearer {token}"))
            .body(call("search_x", &json!({})).to_string()),
    )
    .await;
    assert_eq!(lower.status, 200, "schemes have no case: {}", lower.body);
}

#[tokio::test]
async fn a_bad_token_is_called_invalid_and_nothing_more() {
    let (gateway, upstream, token) = usual().await;
    let expected = format!(
        r#"Bearer error="invalid_token", scope="crm:read", resource_metadata="{}""#,
        metadata_url()
    );
    let cut = token.trim_end_matches(|last: char| last != '.');
    for bad in ["x", "a.b.c", cut, &format!("{token}=")] {
        let agent = Agent::new(gateway.url(), Some(bad.to_owned()));
        let answer = agent.legacy(&call("search_x", &json!({}))).await;
        assert_refused(&answer, 401, 40102);
        assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
        assert_eq!(
            answer.json()["error"]["message"],
            "the token is not valid for this server",
            "one sentence, whatever is wrong"
        );
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 4);
    assert!(
        records
            .iter()
            .all(|it| it["reason"]["code"] == "token_invalid")
    );
}

async fn with_headers(gateway: &Gateway, lines: &[&str], query: &str) -> Answer {
    let body = call("search_x", &json!({})).to_string();
    let lines: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    let request = format!(
        "POST {PATH}{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n{lines}\r\n{body}",
        body.len()
    );
    raw(gateway.address(), &request).await
}

#[tokio::test]
async fn two_credentials_are_an_invalid_request() {
    let (gateway, upstream, token) = usual().await;
    let line = format!("Authorization: Bearer {token}");
    let expected = format!(
        r#"Bearer error="invalid_request", resource_metadata="{}""#,
        metadata_url()
    );
    let joined = format!("{line}, Bearer {token}");
    let behind = format!("Authorization: Basic YTpi, Bearer {token}");
    let twice = [
        vec![line.as_str(), line.as_str()],
        vec![line.as_str(), "Authorization: Basic YTpi"],
        vec![joined.as_str()],
        vec![behind.as_str()],
    ];
    for lines in &twice {
        let answer = with_headers(&gateway, lines, "").await;
        assert_refused(&answer, 400, 40001);
        assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
        challenge(&answer);
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), twice.len());
    assert!(
        records
            .iter()
            .all(|it| it["reason"]["code"] == "credential_duplicated")
    );

    let once = with_headers(&gateway, &[&line], "").await;
    assert_eq!(once.status, 200, "{}", once.body);
}

#[tokio::test]
async fn a_token_in_the_query_is_an_invalid_request_even_beside_a_good_one() {
    let (gateway, upstream, token) = usual().await;
    let line = format!("Authorization: Bearer {token}");
    let queries = [
        format!("?access_token={token}"),
        format!("?a=b&Access%5fToken={token}"),
        "?access_token".to_owned(),
        format!("?a=b;access_token={token}"),
    ];
    for query in &queries {
        for lines in [vec![], vec![line.as_str()]] {
            let answer = with_headers(&gateway, &lines, query).await;
            assert_refused(&answer, 400, 40001);
            assert_eq!(
                challenge(&answer).parameter("error"),
                Some("invalid_request")
            );
            assert!(!answer.body.contains(&token), "never echoed");
        }
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 2 * queries.len());
    for record in records {
        assert_eq!(record["reason"]["code"], "credential_in_query");
        assert!(!record.to_string().contains(&token), "never on record");
    }

    let other = with_headers(&gateway, &[&line], "?my_access_token=1").await;
    assert_eq!(other.status, 200, "{}", other.body);
}

#[tokio::test]
async fn h30_an_unknown_path_looks_the_same_with_and_without_a_token() {
    let (gateway, upstream, token) = usual().await;
    let url = format!("http://{}/unknown/mcp", gateway.address());
    let message = modern("search_x", &json!({}));

    let stranger = Agent::new(url.clone(), None).modern(&message).await;
    let known = Agent::new(url, Some(token)).modern(&message).await;

    for answer in [&stranger, &known] {
        assert_refused(answer, 404, 40402);
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!(comparable(&stranger), comparable(&known));
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 2);
    assert_on_record(&records[0], &stranger, "authn", "path_unknown");
    assert_on_record(&records[1], &known, "authn", "path_unknown");
}

/// An answer without what is new in each.
fn comparable(answer: &Answer) -> (u16, Vec<String>, Value) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    let mut body = answer.json();
    body["error"]["data"]["request_id"].take();
    body["error"]["data"]["decision_id"].take();
    (answer.status, headers, body)
}

#[tokio::test]
async fn p08_nothing_that_a_stranger_says_comes_back() {
    let (gateway, upstream, _token) = usual().await;
    let canary = "canary\\\"><x";
    let issuer = &gateway.setup.issuer;
    let mut claims = issuer.claims(canary, &[canary]);
    claims["iss"] = json!(canary);
    claims["aud"] = json!(canary);
    let typed = |typ: &str| json!({ "alg": "ES256", "typ": typ, "kid": canary });
    let mut tokens = vec![
        issuer.sign(&typed("at+jwt"), &claims),
        issuer.sign(&typed(canary), &claims),
        issuer.sign(&json!({ "alg": canary, "typ": "at+jwt" }), &claims),
        format!("{canary}.a.b"),
    ];
    claims["iss"] = json!("https://auth.test");
    tokens.push(issuer.sign(&typed("at+jwt"), &claims));

    for token in tokens {
        let url = format!("{}?canary=canary", gateway.url());
        let request = Agent::new(url, None)
            .request(Method::POST)
            .header("authorization", format!("Bearer {token}"))
            .header("mcp-method", "canary")
            .header("user-agent", "canary")
            .body(r#"{"jsonrpc":"2.0","id":"canary","method":"canary"}"#);
        let answer = send(request).await;
        assert_refused(&answer, 401, 40102);
        challenge(&answer);
        assert_silent(&answer);
    }
    for path in [
        "/canary/mcp",
        "/.well-known/oauth-protected-resource/canary",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = raw(gateway.address(), &request).await;
        assert_eq!(answer.status, 404);
        assert_silent(&answer);
    }
    assert_eq!(upstream.count(), 0);
}

/// Nothing of the client's stands in the answer.
fn assert_silent(answer: &Answer) {
    let text = format!("{:?} {}", answer.headers, answer.body);
    assert!(!text.contains("canary"), "{text}");
}
