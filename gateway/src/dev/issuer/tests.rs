//! The issuer over a real socket, and its tokens against its published keys.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::DevIssuer;
use crate::dev::DevRole;
use crate::dev::agent::{Reply, fetch, send};
use crate::model::{Clock, UnixTime};

const AUDIENCE: &str = "http://127.0.0.1:8080/notes/mcp";
const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(NOW)
    }
}

async fn start() -> DevIssuer {
    DevIssuer::start(Arc::new(FixedClock)).await.unwrap()
}

async fn ask(issuer: &DevIssuer, role: DevRole, secret: &str, rest: &str) -> Reply {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}{rest}",
        role.client_id()
    );
    let request = Request::post(issuer.token_endpoint())
        .header("content-type", "application/x-www-form-urlencoded");
    send(request.body(form).unwrap()).await
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// Header and claims of `token`, after checking its signature with the key that the issuer publishes.
async fn verify(issuer: &DevIssuer, token: &str) -> (Value, Value) {
    let metadata = fetch(&format!(
        "{}/.well-known/oauth-authorization-server",
        issuer.url()
    ))
    .await
    .json();
    assert_eq!(metadata["issuer"], issuer.url().as_str());
    let keys = fetch(metadata["jwks_uri"].as_str().unwrap()).await.json();
    let key = &keys["keys"][0];
    assert!(key.get("d").is_none(), "a private key is published");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    let point = [
        vec![4],
        decode(key["x"].as_str().unwrap()),
        decode(key["y"].as_str().unwrap()),
    ]
    .concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message.as_bytes(), &decode(signature))
        .unwrap();
    (header, serde_json::from_slice(&decode(claims)).unwrap())
}

#[tokio::test]
async fn a_token_of_the_token_endpoint_verifies_with_the_published_keys() {
    let issuer = start().await;
    let secret = issuer.secret(DevRole::Reader).expose().clone();
    let reply = ask(
        &issuer,
        DevRole::Reader,
        &secret,
        &format!("&resource={AUDIENCE}"),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let body = reply.json();
    assert_eq!(
        (&body["token_type"], &body["scope"]),
        (&json!("Bearer"), &json!("mcp:read"))
    );
    let (header, mut claims) = verify(&issuer, body["access_token"].as_str().unwrap()).await;
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("ES256"))
    );
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert!(!id.as_str().unwrap().is_empty());
    let expected = json!({
        "iss": issuer.url().as_str(), "sub": "reader-agent", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 900,
        "client_id": "reader-agent", "scope": "mcp:read", "roles": ["reader"],
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_wrong_secret_is_401() {
    let issuer = start().await;
    let secret = issuer.secret(DevRole::Editor).expose().clone();
    let reply = ask(
        &issuer,
        DevRole::Reader,
        &secret,
        &format!("&resource={AUDIENCE}"),
    )
    .await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["error"], "invalid_client");
    assert!(reply.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_request_without_a_resource_is_refused() {
    let issuer = start().await;
    let secret = issuer.secret(DevRole::Reader).expose().clone();
    let reply = ask(&issuer, DevRole::Reader, &secret, "").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error"]),
        (400, &json!("invalid_target"))
    );
}

#[tokio::test]
async fn a_token_request_that_is_no_form_is_refused() {
    let issuer = start().await;
    let as_json = Request::post(issuer.token_endpoint()).header("content-type", "application/json");
    let reply = send(as_json.body("{}".to_owned()).unwrap()).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error"]),
        (400, &json!("invalid_request"))
    );
    let huge = Request::post(issuer.token_endpoint())
        .header("content-type", "application/x-www-form-urlencoded");
    let reply = send(huge.body("a".repeat(64 * 1024)).unwrap()).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_printed_token_names_the_user_and_the_agent_that_acts() {
    let issuer = start().await;
    let token = issuer
        .token(
            DevRole::Editor,
            "alice",
            AUDIENCE,
            Duration::from_secs(3600),
        )
        .unwrap();
    let (_, claims) = verify(&issuer, token.expose()).await;
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["act"], json!({ "sub": "editor-agent" }));
    assert_eq!(claims["client_id"], "editor-agent");
    assert_eq!(claims["scope"], "mcp:read mcp:write");
    assert_eq!(claims["exp"], NOW + 3600);
}

#[tokio::test]
async fn both_discovery_documents_are_the_same_and_other_paths_are_not_there() {
    let issuer = start().await;
    let url = issuer.url();
    let oauth = fetch(&format!("{url}/.well-known/oauth-authorization-server")).await;
    let openid = fetch(&format!("{url}/.well-known/openid-configuration")).await;
    assert_eq!(oauth.text, openid.text);
    assert_eq!(fetch(&format!("{url}/authorize")).await.status, 404);
    assert_eq!(fetch(&issuer.token_endpoint()).await.status, 405);
}

#[tokio::test]
async fn each_start_has_its_own_key_and_secrets() {
    let (one, two) = (start().await, start().await);
    let jwks = |issuer: &DevIssuer| format!("{}/jwks", issuer.url());
    assert_ne!(fetch(&jwks(&one)).await.text, fetch(&jwks(&two)).await.text);
    assert_ne!(
        one.secret(DevRole::Reader).expose(),
        two.secret(DevRole::Reader).expose()
    );
    assert_ne!(
        one.secret(DevRole::Reader).expose(),
        one.secret(DevRole::Editor).expose()
    );
}

#[tokio::test]
async fn an_issuer_that_is_dropped_is_gone() {
    let issuer = start().await;
    let address = issuer
        .url()
        .as_str()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    drop(issuer);
    // The runtime drops an aborted task when it gets to it.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
