//! Browsers: which origins may call, what they may read, and no way around it by a rebound name.

use crate::edge::{assert_on_record, assert_refused, raw};
use crate::support::{Agent, Answer, Gateway, PATH, PUBLIC, Setup, Upstream, modern, send};
use reqwest::Method;
use serde_json::json;

/// A gateway on loopback that allows one more origin.
async fn usual() -> (Gateway, Upstream, String) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, yaml) = (setup.analyst(), setup.yaml(&upstream.url()));
    let yaml = yaml.replace(
        "listen: { address: 127.0.0.1:0 }",
        "listen: { address: 127.0.0.1:0, allowed_origins: [\"https://app.test\"] }",
    );
    (Gateway::start(setup, yaml).await, upstream, token)
}

async fn call_from(gateway: &Gateway, token: Option<&str>, origin: &str) -> Answer {
    let message = modern("search_x", &json!({}));
    let request = Agent::new(gateway.url(), token.map(ToOwned::to_owned))
        .request(Method::POST)
        .header("origin", origin)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "search_x");
    send(request.body(message.to_string())).await
}

/// What a browser asks before a call.
async fn preflight(gateway: &Gateway, origin: &str) -> Answer {
    let request = Agent::new("", None)
        .client
        .request(Method::OPTIONS, gateway.url())
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,mcp-method,mcp-name,mcp-param-region,mcp-protocol-version,x-evil",
        );
    send(request).await
}

const FOREIGN: [&str; 9] = [
    "https://foreign.test",
    "null",
    "http://localhost.foreign.test",
    "http://127.0.0.1.foreign.test:80",
    "https://app.test.foreign.test",
    "https://app.test:444",
    "http://app.test",
    "file://",
    "chrome-extension://abc",
];
const OURS: [&str; 6] = [
    "https://app.test",
    PUBLIC,
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "http://[::1]:6274",
    "https://localhost",
];

#[tokio::test]
async fn h41_a_foreign_origin_is_refused_before_anybody_asks_who_it_is() {
    let (gateway, upstream, token) = usual().await;
    for origin in FOREIGN {
        for token in [None, Some("nonsense"), Some(token.as_str())] {
            let answer = call_from(&gateway, token, origin).await;
            assert_refused(&answer, 403, 40306);
            assert_eq!(answer.header("www-authenticate"), None, "{origin}");
            assert_eq!(
                answer.header("access-control-allow-origin"),
                None,
                "{origin} may not read it"
            );
        }
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 3 * FOREIGN.len());
    for record in records {
        assert_eq!(record["reason"]["code"], "origin_forbidden");
        assert_eq!(record["sub"], json!(null), "nobody was identified");
    }
}

#[tokio::test]
async fn h41_our_own_origins_may_call_and_read() {
    let (gateway, upstream, token) = usual().await;
    for origin in OURS {
        let answer = call_from(&gateway, Some(&token), origin).await;
        assert_eq!(answer.status, 200, "{origin}: {}", answer.body);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            None,
            "no cookies"
        );
    }
    assert_eq!(upstream.count(), OURS.len());
    assert!(
        upstream
            .arrived()
            .iter()
            .all(|arrived| arrived.header("origin").is_none()),
        "the upstream has no business with origins"
    );
}

#[tokio::test]
async fn h43_a_browser_can_read_the_challenge_of_a_401() {
    let (gateway, upstream, _token) = usual().await;

    let answer = call_from(&gateway, None, "https://app.test").await;

    assert_refused(&answer, 401, 40101);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.test")
    );
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in ["WWW-Authenticate", "Mcp-Session-Id", "Retry-After"] {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "authn", "credential_missing");
}

#[tokio::test]
async fn h43_a_preflight_is_answered_without_a_token_and_lets_mcp_headers_pass() {
    let (gateway, upstream, _token) = usual().await;
    for origin in OURS {
        let answer = preflight(&gateway, origin).await;
        assert_eq!(answer.status, 204, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        let methods = answer.header("access-control-allow-methods").unwrap();
        for method in ["GET", "POST", "DELETE"] {
            assert!(methods.contains(method), "{methods}");
        }
        let headers = answer.header("access-control-allow-headers").unwrap();
        let listed: Vec<_> = headers.split(", ").collect();
        for name in [
            "authorization",
            "content-type",
            "mcp-protocol-version",
            "mcp-session-id",
            "mcp-method",
            "mcp-name",
            "mcp-param-region",
            "last-event-id",
        ] {
            assert!(listed.contains(&name), "{name} in {headers}");
        }
        assert!(!listed.contains(&"x-evil") && !listed.contains(&"*"));
    }
    assert_eq!(upstream.count(), 0);
    assert!(gateway.settled().await.is_empty(), "nothing was decided");
}

#[tokio::test]
async fn h43_a_preflight_of_a_foreign_origin_is_refused() {
    let (gateway, upstream, _token) = usual().await;
    for origin in FOREIGN {
        let answer = preflight(&gateway, origin).await;
        assert_refused(&answer, 403, 40306);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.settled().await.len(), FOREIGN.len());
}

async fn call_host(gateway: &Gateway, token: &str, host: &str) -> Answer {
    let body = crate::support::call("search_x", &json!({})).to_string();
    let request = format!(
        "POST {PATH} HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    raw(gateway.address(), &request).await
}

#[tokio::test]
async fn h42_a_name_that_was_rebound_to_this_machine_is_refused_on_loopback() {
    let (gateway, upstream, token) = usual().await;
    let port = gateway.address().port();
    let foreign = [
        "Host: evil.test".to_owned(),
        format!("Host: evil.test:{port}"),
        "Host: localhost.evil.test".to_owned(),
        "Host: 127.0.0.1.evil.test".to_owned(),
        "Host: 10.0.0.1".to_owned(),
    ];
    for host in &foreign {
        let answer = call_host(&gateway, &token, host).await;
        assert_refused(&answer, 403, 40306);
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.settled().await.len(), foreign.len());

    for host in [
        "Host: localhost".to_owned(),
        format!("Host: 127.0.0.1:{port}"),
        format!("Host: [::1]:{port}"),
        "Host: localhost:8080".to_owned(),
    ] {
        let answer = call_host(&gateway, &token, &host).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.body);
    }
}

#[tokio::test]
async fn h41_a_request_with_two_origins_or_two_hosts_is_ambiguous() {
    let (gateway, upstream, token) = usual().await;
    for lines in [
        "Host: localhost\r\nOrigin: https://app.test\r\nOrigin: https://foreign.test",
        "Host: localhost\r\nHost: evil.test",
    ] {
        let answer = call_host(&gateway, &token, lines).await;
        assert_eq!(answer.status, 400, "{lines}: {}", answer.body);
    }
    assert_eq!(upstream.count(), 0);
}
