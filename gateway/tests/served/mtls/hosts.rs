//! The server name of a TLS connection and the host of its requests are one (RFC 9110 section 7.4).

use super::Stage;
use crate::support::{Dialler, Seen};

fn dialler(stage: &Stage) -> Dialler {
    Dialler::new(&stage.authority, None, stage.gateway.address())
}

async fn ask(dialler: &Dialler, host: &str, line: &str) -> Seen {
    let request =
        format!("POST /crm/mcp HTTP/1.1\r\nhost: {host}\r\n{line}content-length: 0\r\n\r\n");
    dialler.send(request.as_bytes(), "}}").await.unwrap()
}

#[tokio::test]
async fn m09_a_request_for_another_host_is_misdirected_before_anything_else() {
    let stage = Stage::new().await;
    let token = stage.gateway.setup.analyst();
    for line in [String::new(), format!("authorization: Bearer {token}\r\n")] {
        for host in ["127.0.0.1", "127.0.0.1:443", "other.example"] {
            let seen = ask(&dialler(&stage), host, &line).await;
            assert!(seen.answer.starts_with("HTTP/1.1 421 "), "{}", seen.answer);
            assert!(seen.answer.contains("host_misdirected"), "{}", seen.answer);
            assert!(seen.answer.contains("42101"), "{}", seen.answer);
            assert!(!seen.answer.contains("www-authenticate"), "{}", seen.answer);
        }
        for host in ["localhost", "LocalHost:443"] {
            let seen = ask(&dialler(&stage), host, &line).await;
            assert!(!seen.answer.contains("421"), "{}", seen.answer);
        }
    }
    assert_eq!(stage.upstream.count(), 0);
    let metrics = stage.gateway.metrics().await;
    let counted = "gatewright_refused_total{reason=\"host_misdirected\"} 6";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn m09_without_a_server_name_there_is_nothing_to_compare() {
    let stage = Stage::new().await;
    // A client does not send an address as the server name (RFC 6066 section 3).
    stage
        .authority
        .leaf("127.0.0.1")
        .install(stage.gateway.setup.folder.path());
    stage.gateway.running.reload().await.unwrap();
    let seen = ask(&dialler(&stage).named("127.0.0.1"), "localhost", "").await;
    assert!(seen.answer.starts_with("HTTP/1.1 401 "), "{}", seen.answer);
}

/// A request of HTTP/2 in bytes: the preface, settings, and a head whose lines are not compressed (RFC 7541
/// section 6.2.2).
fn http2(authority: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", authority),
        (":path", "/crm/mcp"),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let length = u8::try_from(block.len()).unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&[0, 0, length, 1, 0x05, 0, 0, 0, 1]);
    bytes.extend_from_slice(&block);
    bytes
}

#[tokio::test]
async fn m09_the_authority_of_http_2_is_the_host() {
    let stage = Stage::new().await;
    let dialler = dialler(&stage).http2();

    let misdirected = dialler.send(&http2("127.0.0.1"), "}}").await.unwrap();
    let right = dialler.send(&http2("localhost"), "}}").await.unwrap();

    assert!(
        misdirected.answer.contains("host_misdirected"),
        "{}",
        misdirected.answer
    );
    assert!(
        right.answer.contains("credential_missing"),
        "{}",
        right.answer
    );
    assert_eq!(stage.upstream.count(), 0);
}
