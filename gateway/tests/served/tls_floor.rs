//! Handshakes written by hand (RFC 5246 section 7.4.1.2): old versions and weak suites get an alert and nothing else.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mtls::Stage;
use crate::support::Setup;

const SILENT: &str =
    "listen: { address: 127.0.0.1:0, tls: { cert_file: tls.crt, key_file: tls.key } }";

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// ECDHE with an ECDSA certificate and AES-GCM.
const STRONG: u16 = 0xc02b;
/// RSA key exchange, CBC, RC4, 3DES, anonymous, export, NULL.
const WEAK: [u16; 8] = [
    0x002f, 0xc009, 0x0005, 0x000a, 0x0018, 0x0003, 0x0001, 0xc013,
];

fn hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let extensions: [&[u8]; 4] = [
        // supported_groups, ec_point_formats, signature_algorithms, renegotiation_info
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 6, 0, 4, 4, 3, 8, 4],
        &[0xff, 1, 0, 1, 0],
    ];
    let extensions = extensions.concat();
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1];
    message.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
    message.extend(body);
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

/// What is answered first: its kind and the versions of the record.
async fn greeted(stage: &Stage, hello: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(stage.gateway.address()).await.unwrap();
    socket.write_all(hello).await.unwrap();
    let mut answer = vec![0; 7];
    let reading = socket.read_exact(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
    read.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn h26_old_versions_and_weak_suites_of_tls_are_refused() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let old = [[3, 0], [3, 1], [3, 2]].map(|version| hello(version, &[STRONG, WEAK[0]]));
    let weak = WEAK.map(|suite| hello([3, 3], &[suite]));
    for bytes in old.iter().chain(&weak) {
        let answer = greeted(&stage, bytes).await;
        assert_eq!(answer[0], ALERT, "{answer:?} to {bytes:?}");
        assert_eq!(answer[5], 2, "fatal");
    }
    let answer = greeted(&stage, &hello([3, 3], &[STRONG])).await;
    assert_eq!(
        (answer[0], answer[5]),
        (HANDSHAKE, 2),
        "a ServerHello: {answer:?}"
    );
    let metrics = stage.gateway.metrics().await;
    let name = "gatewright_connections_refused_total{reason=\"handshake\"}";
    let count = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
    assert!(count >= Some(old.len() + weak.len()), "{count:?}");
}

#[tokio::test]
async fn h26_what_is_no_handshake_reaches_nobody() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let plain = b"POST /crm/mcp HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut socket = TcpStream::connect(stage.gateway.address()).await.unwrap();
    socket.write_all(plain).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(stage.upstream.count(), 0);
}
