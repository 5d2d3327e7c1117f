//! Protected-resource metadata (RFC 9728): open to everyone, one document whatever the client says.

use crate::edge::{billing, raw};
use crate::support::{Agent, Answer, Gateway, PATH, PUBLIC, Setup, Upstream, resource, send};
use reqwest::Method;
use serde_json::json;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

async fn one_server() -> (Gateway, Upstream) {
    let upstream = Upstream::plain().await;
    (Setup::default().start(&upstream).await, upstream)
}

async fn ask(gateway: &Gateway, method: Method, path: &str) -> Answer {
    let url = format!("http://{}{path}", gateway.address());
    send(Agent::new("", None).client.request(method, url)).await
}

#[tokio::test]
async fn p03_the_document_is_at_the_path_inserted_url_with_and_without_a_slash() {
    let (gateway, upstream) = one_server().await;

    for slash in ["", "/"] {
        let answer = ask(&gateway, Method::GET, &format!("{WELL_KNOWN}{PATH}{slash}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.json(),
            json!({
                "resource": resource(),
                "authorization_servers": ["https://auth.test"],
                "scopes_supported": ["crm:read"],
                "bearer_methods_supported": ["header"],
                "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "RS256"],
            })
        );
    }
    assert_eq!(upstream.count(), 0, "metadata is the gateway's own");
    assert!(gateway.settled().await.is_empty(), "nothing was decided");
}

#[tokio::test]
async fn p05_head_has_the_length_of_the_document_and_no_body() {
    let (gateway, _upstream) = one_server().await;
    let path = format!("{WELL_KNOWN}{PATH}");

    let whole = ask(&gateway, Method::GET, &path).await;
    let head = ask(&gateway, Method::HEAD, &path).await;

    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let length = whole.body.len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));
}

#[tokio::test]
async fn p05_a_browser_may_ask_from_anywhere_and_nobody_may_post() {
    let (gateway, _upstream) = one_server().await;
    let path = format!("{WELL_KNOWN}{PATH}");

    let preflight = ask(&gateway, Method::OPTIONS, &path).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let methods = preflight.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("GET"), "{methods}");
    let headers = preflight.header("access-control-allow-headers").unwrap();
    assert!(
        headers.contains("mcp-protocol-version"),
        "clients send it while they discover: {headers}"
    );

    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let refused = ask(&gateway, method.clone(), &path).await;
        assert_eq!(refused.status, 405, "{method}");
        assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
}

#[tokio::test]
async fn p05_a_foreign_origin_may_read_the_document() {
    let (gateway, _upstream) = one_server().await;
    let url = format!("http://{}{WELL_KNOWN}{PATH}", gateway.address());
    let request = Agent::new("", None).client.get(url);

    let answer = send(request.header("origin", "https://foreign.test")).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn p03_the_root_has_the_document_of_an_only_server_and_404_for_two() {
    let (gateway, upstream) = one_server().await;
    let at_path = ask(&gateway, Method::GET, &format!("{WELL_KNOWN}{PATH}")).await;
    for slash in ["", "/"] {
        let at_root = ask(&gateway, Method::GET, &format!("{WELL_KNOWN}{slash}")).await;
        assert_eq!((at_root.status, &at_root.body), (200, &at_path.body));
    }

    let setup = Setup {
        server: billing(&upstream.url()),
        ..Setup::default()
    };
    let two = setup.start(&upstream).await;
    assert_eq!(ask(&two, Method::GET, WELL_KNOWN).await.status, 404);
    let second = ask(&two, Method::GET, &format!("{WELL_KNOWN}/billing/mcp")).await;
    assert_eq!(second.json()["resource"], format!("{PUBLIC}/billing/mcp"));
    assert_eq!(
        second.json()["scopes_supported"],
        json!([]),
        "the other server's scopes are its own"
    );
}

#[tokio::test]
async fn p02_an_unknown_suffix_is_404() {
    let (gateway, _upstream) = one_server().await;
    for suffix in [
        "/crm",
        "/crm/mcp/x",
        "/crm/mcp//",
        "//crm/mcp",
        "/CRM/mcp",
        "/crm%2Fmcp",
        "crm/mcp",
        "/crm/../crm/mcp",
    ] {
        let request = format!(
            "GET {WELL_KNOWN}{suffix} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let answer = raw(gateway.address(), &request).await;
        assert_eq!(answer.status, 404, "{suffix}");
        assert_eq!(answer.code(), Some(40402), "{suffix}");
    }
}

#[tokio::test]
async fn p01_the_document_is_the_same_bytes_whatever_the_client_says_about_hosts() {
    let (gateway, _upstream) = one_server().await;
    let path = format!("{WELL_KNOWN}{PATH}");
    let usual = ask(&gateway, Method::GET, &path).await;

    for lie in [
        "Host: evil.test",
        "Host: localhost\r\nX-Forwarded-Host: evil.test",
        "Host: localhost\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /evil",
        "Host: localhost\r\nX-Forwarded-Port: 1\r\nX-Original-URL: /evil",
        "Host: localhost\r\nForwarded: host=evil.test;proto=https",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\n{lie}\r\nConnection: close\r\n\r\n");
        let answer = raw(gateway.address(), &request).await;
        assert_eq!((answer.status, &answer.body), (200, &usual.body), "{lie}");
    }
    let absolute = format!(
        "GET http://evil.test{path} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    );
    let answer = raw(gateway.address(), &absolute).await;
    assert_eq!(
        answer.status, 404,
        "no authority but ours is ever looked at"
    );
    assert!(!answer.body.contains("evil"), "{}", answer.body);
}
