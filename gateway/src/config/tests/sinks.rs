//! `audit.ship`: what each key does, and each mistake in it.

use std::path::PathBuf;
use std::time::Duration;

use super::{found, loaded, only, plus};
use crate::audit::ship::settings::{
    Bounds, HttpSettings, MissingStream, NatsSettings, SinkKind, SinkSettings,
};

/// The smallest file with these sinks, in one line.
fn ship(sinks: &str) -> String {
    plus(&format!("audit: {{ ship: [{sinks}] }}"))
}

fn kinds(sinks: &str) -> Vec<SinkKind> {
    let settings = loaded(&ship(sinks)).audit_ship;
    settings.into_iter().map(|sink| sink.kind).collect()
}

fn nats() -> NatsSettings {
    NatsSettings {
        url: "nats://127.0.0.1:4222".to_owned(),
        stream: "AUDIT".to_owned(),
        subject: "gatewright.audit".to_owned(),
        missing: MissingStream::Waited,
        credentials_file: None,
        token_file: None,
        ca_file: None,
        timeout: Duration::from_secs(10),
        batch: Bounds {
            lines: 500,
            bytes: 4 << 20,
        },
    }
}

fn http(url: &str) -> HttpSettings {
    HttpSettings {
        url: url.to_owned(),
        token_file: None,
        ca_file: None,
        timeout: Duration::from_secs(10),
        batch: Bounds {
            lines: 500,
            bytes: 1 << 20,
        },
    }
}

#[test]
fn without_the_key_nothing_is_shipped() {
    assert_eq!(loaded(&plus("audit: { ledger: a }")).audit_ship, []);
    assert_eq!(loaded(&ship("")).audit_ship, []);
}

#[test]
fn absent_keys_of_a_sink_have_their_defaults() {
    let sinks = "{ stdout: {} }, { http: { url: \"https://siem.test/in\" } }, { nats: { url: \"nats://127.0.0.1:4222\", stream: AUDIT } }, { otlp: { endpoint: \"https://collector.test:4318/\" } }";
    let sink = |name: &str, kind| SinkSettings {
        name: name.into(),
        kind,
    };
    let expected = [
        sink("stdout", SinkKind::Stdout),
        sink("http", SinkKind::Http(http("https://siem.test/in"))),
        sink("nats", SinkKind::Nats(nats())),
        sink(
            "otlp",
            SinkKind::Otlp(http("https://collector.test:4318/v1/logs")),
        ),
    ];
    assert_eq!(loaded(&ship(sinks)).audit_ship, expected);
}

#[test]
fn each_key_of_a_collector_has_its_effect() {
    for (kind, place) in [("http", "url"), ("otlp", "endpoint")] {
        let sinks = format!(
            "{{ {kind}: {{ name: siem, {place}: \"https://siem.test/a\", token_file: Cargo.toml, ca_file: Cargo.toml, timeout: 3s, batch: 7, batch_bytes: 9KiB }} }}"
        );
        let settings = loaded(&ship(&sinks)).audit_ship.remove(0);
        assert_eq!(&*settings.name, "siem");
        let url = if kind == "http" {
            "https://siem.test/a"
        } else {
            "https://siem.test/a/v1/logs"
        };
        let expected = HttpSettings {
            url: url.to_owned(),
            token_file: Some(PathBuf::from("Cargo.toml")),
            ca_file: Some(PathBuf::from("Cargo.toml")),
            timeout: Duration::from_secs(3),
            batch: Bounds {
                lines: 7,
                bytes: 9 << 10,
            },
        };
        let kind = if kind == "http" {
            SinkKind::Http(expected)
        } else {
            SinkKind::Otlp(expected)
        };
        assert_eq!(settings.kind, kind);
    }
}

#[test]
fn each_key_of_a_stream_has_its_effect() {
    let sinks = "{ nats: { name: bus, url: \"tls://nats.test:4223\", stream: A-1, subject: a.b, create: true, credentials_file: Cargo.toml, ca_file: Cargo.toml, timeout: 3s, batch: 7 } }";
    let expected = NatsSettings {
        url: "tls://nats.test:4223".to_owned(),
        stream: "A-1".to_owned(),
        subject: "a.b".to_owned(),
        missing: MissingStream::Made,
        credentials_file: Some(PathBuf::from("Cargo.toml")),
        token_file: None,
        ca_file: Some(PathBuf::from("Cargo.toml")),
        timeout: Duration::from_secs(3),
        batch: Bounds {
            lines: 7,
            bytes: 4 << 20,
        },
    };
    assert_eq!(kinds(sinks), [SinkKind::Nats(expected)]);
    let token =
        "{ nats: { url: \"nats://127.0.0.1:4222\", stream: AUDIT, token_file: Cargo.toml } }";
    let expected = NatsSettings {
        token_file: Some(PathBuf::from("Cargo.toml")),
        ..nats()
    };
    assert_eq!(kinds(token), [SinkKind::Nats(expected)]);
}

#[test]
fn ambiguous_sink() {
    let help = "name exactly one of `stdout`, `http`, `nats`, `otlp`";
    for item in [
        "{}",
        "{ stdout: {}, otlp: { endpoint: \"https://a.test\" } }",
    ] {
        only(&ship(item), &format!("ambiguous-sink 7:17 [{{] {help}"));
    }
}

#[test]
fn bad_sink_name() {
    let help = "write 1 to 32 of `a-z 0-9 _ -`, not `ledger`";
    for name in ["SIEM", "../siem", "ledger", &"a".repeat(33)] {
        let sinks = format!("{{ http: {{ name: \"{name}\", url: \"https://a.test\" }} }}");
        only(
            &ship(&sinks),
            &format!("bad-sink-name 7:33 [\"{name}\"] {help}"),
        );
    }
    loaded(&ship(&format!(
        "{{ http: {{ name: {}, url: \"https://a.test\" }} }}",
        "a".repeat(32)
    )));
}

#[test]
fn duplicate_sink() {
    let twins = "{ stdout: {} }, { stdout: {} }";
    let codes: Vec<_> = found(&ship(twins));
    assert_eq!(codes.len(), 1, "{codes:?}");
    assert!(codes[0].starts_with("duplicate-sink "), "{codes:?}");
    let two =
        "{ http: { url: \"https://a.test\" } }, { http: { name: b, url: \"https://a.test\" } }";
    assert_eq!(loaded(&ship(two)).audit_ship.len(), 2);
}

#[test]
fn plain_sink() {
    for plain in [
        "{ http: { url: \"http://siem.test\" } }",
        "{ otlp: { endpoint: \"http://10.0.0.1:4318\" } }",
        "{ nats: { url: \"nats://nats.test\", stream: A } }",
    ] {
        let codes = found(&ship(plain));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].starts_with("plain-sink "), "{codes:?}");
    }
    for local in [
        "{ http: { url: \"http://localhost:8088\" } }",
        "{ otlp: { endpoint: \"http://[::1]:4318\" } }",
        "{ nats: { url: \"nats://[::1]:4222\", stream: A } }",
        "{ nats: { url: \"nats://localhost:4222\", stream: A } }",
    ] {
        loaded(&ship(local));
    }
}

#[test]
fn a_url_of_another_kind_or_with_a_password_is_refused() {
    for url in [
        "https://nats.test",
        "nats://user:secret@127.0.0.1",
        "nats://127.0.0.1/?a=b",
        "nats.test:4222",
        "tls://",
    ] {
        let codes = found(&ship(&format!(
            "{{ nats: {{ url: \"{url}\", stream: A }} }}"
        )));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].starts_with("bad-url "), "{codes:?}");
    }
}

#[test]
fn bad_stream_and_bad_subject() {
    for (key, bad) in [
        ("stream", "A.B"),
        ("stream", "A*"),
        ("stream", ""),
        ("subject", "a.*"),
        ("subject", "a..b"),
        ("subject", "a b"),
        ("subject", ">"),
    ] {
        let other = if key == "stream" { "" } else { ", stream: A" };
        let sinks = format!("{{ nats: {{ url: \"tls://nats.test\"{other}, {key}: \"{bad}\" }} }}");
        let codes = found(&ship(&sinks));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].starts_with(&format!("bad-{key} ")), "{codes:?}");
    }
}

#[test]
fn two_credentials() {
    let both = "{ nats: { url: \"tls://nats.test\", stream: A, credentials_file: Cargo.toml, token_file: Cargo.toml } }";
    let codes = found(&ship(both));
    assert_eq!(codes.len(), 1, "{codes:?}");
    assert!(codes[0].starts_with("two-credentials "), "{codes:?}");
}

#[test]
fn a_file_that_is_missing_or_of_no_use_is_a_mistake() {
    for (sinks, code) in [
        (
            "{ http: { url: \"https://a.test\", token_file: no.token } }",
            "missing-file",
        ),
        (
            "{ http: { url: \"https://a.test\", ca_file: no.pem } }",
            "missing-file",
        ),
        (
            "{ http: { url: \"http://localhost\", ca_file: Cargo.toml } }",
            "no-effect",
        ),
        (
            "{ nats: { url: \"nats://localhost\", stream: A, ca_file: Cargo.toml } }",
            "no-effect",
        ),
        (
            "{ nats: { url: \"tls://a.test\", stream: A, credentials_file: no.creds } }",
            "missing-file",
        ),
    ] {
        let codes = found(&ship(sinks));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].starts_with(code), "{codes:?}");
    }
}

#[test]
fn bounds_of_a_sink_have_bounds() {
    for key in [
        "timeout: 0s",
        "timeout: 6m",
        "batch: 0",
        "batch: 10001",
        "batch_bytes: 17MiB",
    ] {
        let codes = found(&ship(&format!(
            "{{ http: {{ url: \"https://a.test\", {key} }} }}"
        )));
        assert_eq!(codes.len(), 1, "{codes:?}");
        assert!(codes[0].starts_with("out-of-range "), "{codes:?}");
    }
}
