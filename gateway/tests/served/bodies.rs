//! A body of any size arrives byte for byte or not at all, over HTTP/1.1 and HTTP/2.

mod connections;

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Client};
use serde_json::json;

use crate::support::{Answer, call};
use crate::wire::{Lines, Wire};

const KIB: usize = 1024;
/// The limit of these tests.
const LIMIT: usize = 2 * KIB * KIB;
const LIMITED: &str = "limits: { body: 2MiB }";
/// What may come without a length.
const UNANNOUNCED: usize = 64 * KIB;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Http {
    One,
    Two,
}

const BOTH: [Http; 2] = [Http::One, Http::Two];

fn client(http: Http) -> Client {
    let builder = Client::builder().no_proxy();
    match http {
        Http::One => builder.http1_only(),
        Http::Two => builder.http2_prior_knowledge(),
    }
    .build()
    .unwrap()
}

/// An allowed call of exactly `length` bytes that do not repeat evenly.
pub(super) fn call_of(length: usize) -> Bytes {
    let empty = call("search_customers", &json!({ "query": "" })).to_string();
    let missing = length - empty.len();
    let text: String = (0..missing)
        .map(|at| char::from(b'a' + u8::try_from(at * 31 % 251 % 26).unwrap()))
        .collect();
    let body = call("search_customers", &json!({ "query": text })).to_string();
    assert_eq!(body.len(), length);
    Bytes::from(body)
}

async fn post(wire: &Wire, client: &Client, body: impl Into<Body>) -> Answer {
    let request = client
        .post(wire.gateway.url())
        .bearer_auth(&wire.token)
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2025-11-25");
    let response = request.body(body).send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

/// The body in pieces, without a length.
fn unannounced(body: &Bytes) -> Body {
    let pieces: Vec<_> = body
        .chunks(10_007)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Body::wrap_stream(stream::iter(pieces))
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: i64, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.code(), Some(code), "{}", answer.body);
    assert_eq!(answer.json()["error"]["data"]["reason"], reason);
}

#[tokio::test]
async fn z07_a_call_is_judged_as_it_reads_and_arrives_as_it_was_written() {
    let wire = Wire::start().await;
    let client = client(Http::One);
    let written = |name: &str| {
        format!(
            "{{ \"id\":1, \"params\": {{\"arguments\":{{\"query\":\"\\u0061\", \"n\": 1.0}}, \"name\": \"{name}\"}},\"method\":\"tools/call\", \"jsonrpc\": \"2.0\" }}"
        )
    };
    let allowed = written("search_\\u0063ustomers");

    assert_eq!(post(&wire, &client, allowed.clone()).await.status, 200);
    let denied = post(&wire, &client, written("delete_\\u0063ustomer")).await;

    assert_eq!(denied.code(), Some(40301), "{}", denied.body);
    let arrived = wire.upstream.arrived();
    let bodies: Vec<_> = arrived.iter().map(|one| one.body.clone()).collect();
    assert_eq!(bodies, [Bytes::from(allowed)]);
}

#[tokio::test]
async fn h39_bodies_of_every_size_up_to_the_limit_arrive_byte_for_byte() {
    let wire = Wire::configured(LIMITED).await;
    let sizes = [
        200,
        UNANNOUNCED - 1,
        UNANNOUNCED,
        UNANNOUNCED + 1,
        2 * UNANNOUNCED,
        KIB * KIB,
        LIMIT - 1,
        LIMIT,
    ];
    for http in BOTH {
        let client = client(http);
        for size in sizes {
            let body = call_of(size);
            let answer = post(&wire, &client, body.clone()).await;
            assert_eq!(answer.status, 200, "{http:?} {size}: {}", answer.body);
            let arrived = wire.upstream.arrived().pop().unwrap();
            assert!(arrived.body == body, "{http:?} {size}");
            let length = size.to_string();
            assert_eq!(arrived.header("content-length"), Some(&*length));
            assert_eq!(arrived.header("transfer-encoding"), None);
        }
    }
    assert_eq!(wire.upstream.count(), BOTH.len() * sizes.len());
}

#[tokio::test]
async fn limit_body_one_byte_over_the_limit_is_too_large_and_never_arrives() {
    let wire = Wire::configured(LIMITED).await;
    for http in BOTH {
        let client = client(http);
        let answer = post(&wire, &client, call_of(LIMIT + 1)).await;
        assert_refused(&answer, 413, 41301, "body_too_large");
        assert_eq!(wire.upstream.count(), 0, "{http:?}");
    }
    assert_eq!(wire.decisions().await, ["body_too_large"; 2]);
    let answer = post(&wire, &client(Http::One), call_of(LIMIT)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_limit_is_four_mebibytes_unless_configured() {
    let wire = Wire::start().await;
    let client = client(Http::One);
    let body = call_of(4 * KIB * KIB);
    assert_eq!(post(&wire, &client, body.clone()).await.status, 200);
    let larger = post(&wire, &client, call_of(body.len() + 1)).await;
    assert_refused(&larger, 413, 41301, "body_too_large");
    let arrived = wire.upstream.arrived();
    assert_eq!(arrived.len(), 1);
    assert!(arrived[0].body == body);
    assert_eq!(wire.decisions().await, ["allow", "body_too_large"]);
}

#[tokio::test]
async fn a_body_of_one_byte_is_read_and_one_of_none_is_no_message() {
    let wire = Wire::start().await;
    for http in BOTH {
        let client = client(http);
        let one = post(&wire, &client, "1").await;
        assert_refused(&one, 400, -32600, "request_invalid");
        let none = post(&wire, &client, "").await;
        assert_refused(&none, 400, -32700, "json_malformed");
    }
    assert_eq!(wire.upstream.count(), 0);
    let expected = ["request_invalid", "json_malformed"].repeat(2);
    assert_eq!(wire.decisions().await, expected);
}

#[tokio::test]
async fn h39_a_body_without_a_length_passes_up_to_64_kib_and_needs_one_beyond() {
    let wire = Wire::configured(LIMITED).await;
    for http in BOTH {
        let client = client(http);
        for size in [200, UNANNOUNCED - 1, UNANNOUNCED] {
            let body = call_of(size);
            let answer = post(&wire, &client, unannounced(&body)).await;
            assert_eq!(answer.status, 200, "{http:?} {size}: {}", answer.body);
            let arrived = wire.upstream.arrived().pop().unwrap();
            assert!(arrived.body == body, "{http:?} {size}");
            assert_eq!(arrived.header("transfer-encoding"), None);
        }
        let before = wire.upstream.count();
        for size in [UNANNOUNCED + 1, KIB * KIB] {
            let answer = post(&wire, &client, unannounced(&call_of(size))).await;
            assert_refused(&answer, 411, 41101, "length_required");
        }
        let larger = post(&wire, &client, unannounced(&call_of(LIMIT + 1))).await;
        assert!(matches!(larger.status, 411 | 413), "{}", larger.body);
        assert_eq!(wire.upstream.count(), before, "{http:?}");
    }
    let decisions = wire.decisions().await;
    assert_eq!(decisions.len(), 2 * 6, "one record each: {decisions:?}");
}

#[tokio::test]
async fn h39_many_bodies_on_one_http2_connection_do_not_mix() {
    let wire = Wire::configured(LIMITED).await;
    let client = client(Http::Two);
    let sizes = [300, 70_000, 65_536, 500_000, 1_000, 65_537, 200_000, 400];
    let posts = sizes.map(|size| post(&wire, &client, call_of(size)));
    for answer in futures_util::future::join_all(posts).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let mut arrived: Vec<_> = wire.upstream.arrived();
    arrived.sort_by_key(|arrived| arrived.body.len());
    let mut expected = sizes;
    expected.sort_unstable();
    for (arrived, size) in arrived.iter().zip(expected) {
        assert!(arrived.body == call_of(size), "{size}");
    }
    assert_eq!(arrived.len(), sizes.len());
}

#[tokio::test]
async fn h39_a_refused_body_says_so_for_every_media_type_and_size() {
    let wire = Wire::configured(LIMITED).await;
    let text = Lines::legacy().with("content-type", "text/plain");
    for size in [200, UNANNOUNCED + 1, LIMIT] {
        let answer = wire.post(&text, call_of(size)).await;
        assert_refused(&answer, 415, 41501, "media_type_unsupported");
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.decisions().await, ["media_type_unsupported"; 3]);
}
