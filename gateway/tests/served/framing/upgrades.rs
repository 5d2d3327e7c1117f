//! Upgrades and expectations: nobody is given a connection that speaks something else.

use super::{SOON, allowed, assert_served, exchange, post, smuggled};
use crate::edge::{Act, RawPeer};
use crate::support::{Gateway, PATH, Setup, Upstream};
use crate::wire::Wire;

const UPGRADES: [&str; 4] = [
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n",
    "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
    "upgrade: foo\r\n",
    "connection: keep-alive\r\nupgrade: websocket\r\n",
];

#[tokio::test]
async fn h13_an_upgrade_is_never_granted_and_never_asked_for() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    for lines in UPGRADES {
        let before = wire.upstream.count();
        let request = format!(
            "{}{lines}content-length: {}\r\n\r\n{body}",
            post(&wire),
            body.len()
        );
        let came = exchange(&wire, request + &smuggled(&wire)).await;
        assert!(!came.statuses.contains(&101), "{lines}: {}", came.text);
        assert_eq!(came.statuses.len(), 1, "{lines}: {}", came.text);
        for arrived in &wire.upstream.arrived()[before..] {
            for name in [
                "upgrade",
                "connection",
                "http2-settings",
                "sec-websocket-key",
            ] {
                assert_eq!(arrived.header(name), None, "{name} arrived");
            }
        }
        assert!(
            wire.upstream.count() <= before + 1,
            "what stands behind it is not served"
        );
    }
    assert_served(&wire).await;
}

#[tokio::test]
async fn h13_a_server_that_switches_protocols_is_a_fault() {
    let peer = RawPeer::start(|_| {
        Act::Send("HTTP/1.1 101 Switching Protocols\r\nupgrade: foo\r\nconnection: upgrade\r\n\r\nraw bytes".into())
    })
    .await;
    let setup = Setup {
        extra: format!("{SOON}\n"),
        ..Setup::default()
    };
    let (token, yaml) = (setup.analyst(), setup.yaml(&peer.url()));
    let wire = Wire {
        gateway: Gateway::start(setup, yaml).await,
        upstream: Upstream::plain().await,
        agent: crate::support::Agent::new("", None),
        token,
    };
    for lines in ["", UPGRADES[2], UPGRADES[3]] {
        let body = allowed();
        let request = format!(
            "{}{lines}content-length: {}\r\n\r\n{body}",
            post(&wire),
            body.len()
        );
        let came = exchange(&wire, request).await;
        assert_eq!(came.statuses, [502], "{lines}: {}", came.text);
        assert!(!came.text.contains("raw bytes"), "{}", came.text);
    }
    assert_eq!(peer.count(), 3);
}

#[tokio::test]
async fn h14_half_a_preface_of_http_2_is_no_request() {
    let wire = Wire::configured(SOON).await;
    let tails = ["XX\r\n\r\n", "", "SM\r\n\r\n"];
    for tail in tails {
        let came = exchange(
            &wire,
            format!("PRI * HTTP/2.0\r\n\r\n{tail}{}", smuggled(&wire)),
        )
        .await;
        assert!(
            came.statuses.iter().all(|status| *status == 400),
            "{tail:?}: {}",
            came.text
        );
        assert_eq!(wire.upstream.count(), 0, "{tail:?}");
    }
    let named = format!("PRI {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let came = exchange(&wire, named).await;
    assert_eq!(
        came.statuses,
        [401],
        "a method like any other: {}",
        came.text
    );
    assert_served(&wire).await;
}

#[tokio::test]
async fn h15_a_stranger_is_told_nothing_but_who_to_be_whatever_it_expects() {
    let wire = Wire::configured(SOON).await;
    for expected in ["100-continue", "200-maybe"] {
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             expect: {expected}\r\ncontent-length: 10\r\n\r\n"
        );
        let came = exchange(&wire, request).await;
        assert_eq!(came.statuses, [401], "{expected}: {}", came.text);
    }
    assert_eq!(wire.upstream.count(), 0);
}
