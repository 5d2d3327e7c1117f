//! The record as its readers see it.

use std::net::{IpAddr, Ipv4Addr};

use super::{Decision, Event, Kind};
use crate::audit::id::EventIds;
use crate::audit::line::Line;
use crate::audit::part::{
    Actor, Approval, Arguments, Authentication, Gateway, Link, Mcp, Model, ModelSource, Outcome,
    Policy, PolicyMode, Refused, Shadow, Source, Subject, SubjectKind,
};
use crate::audit::text::{Joined, RequestId};
use crate::model::{Digest, Reason, UnixTime};

fn empty(kind: Kind) -> Event<'static> {
    let at = UnixTime::from_millis(1_700_000_000_005);
    let gateway = Gateway {
        instance: "gw-1".into(),
        version: "0.1.0".into(),
        config: Digest::of(b"config"),
    };
    Event::new(kind, at, EventIds::default().next(at), gateway)
}

/// A record in which no part is absent.
fn full() -> Event<'static> {
    Event {
        policy: Some(Policy {
            ids: ["r1"].as_slice().into(),
            digest: Digest::of(b"policy"),
            mode: PolicyMode::Enforce,
            tier: Some("high".into()),
            shadow: Some(Shadow {
                decision: Decision::Allow,
                ids: ["r2"].as_slice().into(),
            }),
        }),
        reason: Some(Refused {
            code: Reason::ScopeInsufficient,
            message: "no".into(),
            missing_scopes: ["crm:refund"].as_slice().into(),
        }),
        approval: Some(Approval {
            id: "a-1".into(),
            by: "bob".into(),
            at: UnixTime::from_seconds(1),
            expires: UnixTime::from_seconds(2),
        }),
        arguments: Some(Arguments {
            digest: Digest::of(b"{}"),
            bytes: 2,
        }),
        outcome: Some(Outcome {
            http_status: Some(200),
            jsonrpc_error: Some(-32600),
            is_error: Some(true),
            duration_ms: 1.25,
            upstream_ms: Some(1.0),
        }),
        source: Some(Source {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 4711,
        }),
        request_id: Some("q-1".into()),
        decision_id: Some(EventIds::default().next(UnixTime::from_millis(1))),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
        ..asked()
    }
}

fn asked() -> Event<'static> {
    Event {
        mcp: Some(Mcp {
            method: Some("tools/call".into()),
            name: Some("refund".into()),
            protocol_version: Some("2026-07-28".into()),
            server: "crm".into(),
            jsonrpc_id: Some(RequestId::from_json("7")),
        }),
        authn: Some(Authentication {
            scheme: "bearer".into(),
            result: "ok".into(),
            jkt: Some("thumb".into()),
            cert_sha256: Some("print".into()),
            token_exp: Some(1_700_000_600),
            scopes: ["crm:read"].as_slice().into(),
        }),
        ..flat()
    }
}

fn flat() -> Event<'static> {
    Event {
        sub: Some("alice".into()),
        act: Some("agent-7".into()),
        action: Some(Joined::action("tools/call", Some("refund"))),
        resource: Some(Joined::resource("crm", Some("refund"))),
        decision: Some(Decision::Deny),
        token_id: Some("t-1".into()),
        scopes_used: ["crm:read"].as_slice().into(),
        subject: Some(Subject {
            iss: "https://auth.example.com".into(),
            id: "alice".into(),
            kind: SubjectKind::User,
            roles: ["analyst"].as_slice().into(),
        }),
        actor: Some(Actor {
            client_id: Some("desk".into()),
            chain: vec![Link {
                sub: "agent-7".into(),
                iss: None,
            }],
            client_name: Some("Desk".into()),
            client_asserted: Some(true),
        }),
        model: Some(Model {
            name: "m".into(),
            provider: None,
            version: None,
            source: ModelSource::Meta,
        }),
        ..empty(Kind::Decision)
    }
}

fn line(event: &Event<'_>, seq: u64) -> String {
    let mut out = Vec::new();
    Line::of(event).unwrap().write(seq, &mut out);
    String::from_utf8(out).unwrap()
}

/// The names of the members of the object that `text` is, in the order in which they stand.
fn members(text: &str) -> Vec<String> {
    struct Names;
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), Names)
        .unwrap()
}

#[test]
fn the_members_stand_in_the_order_of_the_contract() {
    let order = "timestamp sub act action resource decision token_id scopes_used schema event_id seq kind subject actor \
                 model mcp authn policy reason approval arguments outcome source request_id decision_id trace_id gateway";
    assert_eq!(members(&line(&full(), 1)).join(" "), order);
}

#[test]
fn the_parts_have_the_members_of_the_contract() {
    let record: serde_json::Value = serde_json::from_str(&line(&full(), 12)).unwrap();
    for (part, names) in [
        ("subject", "iss id type roles"),
        ("actor", "client_id chain client_name client_asserted"),
        ("mcp", "method name protocol_version server jsonrpc_id"),
        ("authn", "scheme result jkt cert_sha256 token_exp scopes"),
        ("policy", "ids digest mode tier shadow"),
        ("reason", "code message missing_scopes"),
        ("approval", "id by at expires"),
        ("arguments", "digest bytes"),
        (
            "outcome",
            "http_status jsonrpc_error is_error duration_ms upstream_ms",
        ),
        ("source", "ip port"),
        ("gateway", "instance version config"),
    ] {
        let mut wanted: Vec<_> = names.split(' ').collect();
        wanted.sort_unstable();
        let mut given: Vec<_> = record[part]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        given.sort_unstable();
        assert_eq!(given, wanted, "{part}");
    }
    assert_eq!(record["seq"], 12);
    assert_eq!(record["schema"], "gatewright.audit/1");
    assert_eq!(record["timestamp"], "2023-11-14T22:13:20.005Z");
    assert_eq!(record["action"], "tools/call:refund");
    assert_eq!(record["resource"], "crm/refund");
    assert_eq!(record["reason"]["code"], "insufficient_scope");
    assert_eq!(
        record["policy"]["digest"],
        Digest::of(b"policy").to_string()
    );
    assert_eq!(record["mcp"]["jsonrpc_id"], 7);
}

#[test]
fn absent_parts_are_left_out() {
    let text = line(&empty(Kind::Lifecycle), 3);
    assert_eq!(
        members(&text).join(" "),
        "timestamp schema event_id seq kind gateway"
    );
}

#[test]
fn hostile_text_stays_on_one_line_of_ascii_and_reads_as_sent() {
    let shouting = "x".repeat(1 << 20);
    for hostile in [
        "\r\n{\"seq\":0}",
        ",\"seq\":0,\"kind\":\"lifecycle\"",
        "\u{2028}\u{2029}\u{85}",
        "\u{1b}[31m\u{9b}2J\u{7f}",
        "\"}\n{\"",
        "\0\u{1}\u{1f}",
        "\u{202e}\u{1f600}",
        "\\u000a\\",
    ] {
        let scopes = [hostile];
        let event = Event {
            sub: Some(hostile.into()),
            act: Some(shouting.as_str().into()),
            action: Some(Joined::action(hostile, Some(hostile))),
            resource: Some(Joined::resource("crm", Some(hostile))),
            scopes_used: scopes.as_slice().into(),
            ..full()
        };
        let text = line(&event, 9);
        assert!(text.len() < 8192, "{} bytes", text.len());
        let inner = text.strip_suffix('\n').unwrap();
        assert!(
            inner.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{text}"
        );
        let record: serde_json::Value = serde_json::from_str(inner).unwrap();
        assert_eq!(record["sub"], hostile);
        assert_eq!(record["resource"], format!("crm/{hostile}"));
        assert_eq!(record["seq"], 9, "the number goes into its own place");
        assert!(record["act"].as_str().unwrap().ends_with("x…(cut)"));
    }
}
