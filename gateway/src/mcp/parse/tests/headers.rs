//! Headers against bodies, era by era.

use serde_json::json;

use super::{LEGACY, NONE, call, meta, modern, modern_call, read, reason, request};
use crate::mcp::call::{Mirrored, Target};
use crate::mcp::version::{Era, Revision};
use crate::model::Reason;

#[test]
fn a_modern_call_that_agrees_with_its_headers_is_read() {
    let body = modern_call("get");
    let read = read(&body, modern("tools/call", Some(" get\t"))).unwrap();
    assert_eq!(
        (read.era, read.revision),
        (Era::Modern, Revision::V2026_07_28)
    );
    assert_eq!(call(Ok(read)).target, Target::Tool("get".into()));
}

#[test]
fn a_request_without_a_version_is_taken_for_the_oldest() {
    let body = request("tools/list", &json!({}));
    assert_eq!(read(&body, NONE).unwrap().revision, Revision::V2025_03_26);
}

#[test]
fn q24_the_headers_of_a_legacy_request_mirror_nothing() {
    let head = Mirrored {
        method: Some(b"tools/list"),
        name: Some(b"other"),
        ..LEGACY
    };
    assert_eq!(
        call(read(&request("tools/call", &json!({ "name": "x" })), head)).target,
        Target::Tool("x".into())
    );
}

#[test]
fn q19_q20_q22_headers_that_disagree_with_the_body_are_refused() {
    let body = modern_call("get");
    let now = Some("2026-07-28");
    let method = Some("tools/call");
    for (version, method, name) in [
        (None, method, Some("get")),
        (Some("2025-11-25"), method, Some("get")),
        (Some("1900-01-01"), method, Some("get")),
        (now, None, Some("get")),
        (now, Some("tools/list"), Some("get")),
        (now, Some("TOOLS/CALL"), Some("get")),
        (now, method, None),
        (now, method, Some("other")),
        (now, method, Some("=?base64?b3RoZXI=?=")),
        (now, method, Some("=?base64?Z2V0?")),
        (now, method, Some("g\u{e9}t")),
    ] {
        let head = Mirrored {
            protocol_version: version.map(str::as_bytes),
            method: method.map(str::as_bytes),
            name: name.map(str::as_bytes),
        };
        let refused = read(&body, head).unwrap_err();
        assert_eq!(refused.reason, Reason::HeaderMismatch, "{head:?}");
        assert_eq!(refused.id.unwrap().as_json(), "7");
    }
    for name in ["get", "=?base64?Z2V0?="] {
        assert!(
            read(&body, modern("tools/call", Some(name))).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn q19_the_name_header_repeats_uris_and_task_ids_too() {
    for (method, key) in [
        ("resources/read", "uri"),
        ("prompts/get", "name"),
        ("tasks/get", "taskId"),
        ("tasks/update", "taskId"),
        ("tasks/cancel", "taskId"),
    ] {
        let body = request(method, &json!({ key: "x", "_meta": meta() }));
        assert!(read(&body, modern(method, Some("x"))).is_ok(), "{method}");
        assert_eq!(
            reason(read(&body, modern(method, Some("y")))),
            Reason::HeaderMismatch,
            "{method}"
        );
        assert_eq!(
            reason(read(&body, modern(method, None))),
            Reason::HeaderMismatch,
            "{method}"
        );
    }
    let body = request("tools/list", &json!({ "_meta": meta() }));
    assert!(read(&body, modern("tools/list", Some("anything"))).is_ok());
}

#[test]
fn q25_a_modern_request_without_its_meta_is_refused() {
    for meta in [
        json!({}),
        json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" }),
        json!({ "io.modelcontextprotocol/clientCapabilities": {} }),
        json!({ "io.modelcontextprotocol/protocolVersion": 1, "io.modelcontextprotocol/clientCapabilities": {} }),
        json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [] }),
    ] {
        let body = request("server/discover", &json!({ "_meta": meta }));
        assert_eq!(
            reason(read(&body, modern("server/discover", None))),
            Reason::ParamsInvalid,
            "{meta}"
        );
    }
    let body = request("server/discover", &json!({}));
    assert_eq!(
        reason(read(&body, modern("server/discover", None))),
        Reason::ParamsInvalid
    );
    let body = request("server/discover", &json!({ "_meta": meta() }));
    assert!(read(&body, modern("server/discover", None)).is_ok());
}

#[test]
fn q23_versions_nobody_speaks_are_refused_by_name() {
    let body = request("tools/list", &json!({}));
    let refused = read(
        &body,
        Mirrored {
            protocol_version: Some(b"1900-01-01"),
            ..NONE
        },
    )
    .unwrap_err();
    assert_eq!(
        (refused.reason, refused.requested.as_deref()),
        (Reason::VersionUnsupported, Some("1900-01-01"))
    );
    for version in ["v999.0.0", "2025-11-25"] {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = request("tools/list", &json!({ "_meta": meta }));
        let head = Mirrored {
            protocol_version: Some(version.as_bytes()),
            ..modern("tools/list", None)
        };
        let refused = read(&body, head).unwrap_err();
        assert_eq!(
            (refused.reason, refused.requested.as_deref()),
            (Reason::VersionUnsupported, Some(version))
        );
    }
    let refused = read(
        &body,
        Mirrored {
            protocol_version: Some(b"a\xff b"),
            ..NONE
        },
    )
    .unwrap_err();
    assert_eq!(
        (refused.reason, refused.requested),
        (Reason::VersionUnsupported, None)
    );
}

#[test]
fn q23_initialize_is_legacy_and_never_modern() {
    let body = request(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "clientInfo": { "name": "agent" } }),
    );
    let read_legacy = read(&body, NONE).unwrap();
    assert_eq!(read_legacy.era, Era::Legacy);
    assert_eq!(call(Ok(read_legacy)).client_name.as_deref(), Some("agent"));
    assert_eq!(
        reason(read(&body, modern("initialize", None))),
        Reason::HeaderMismatch
    );
    let body = request("initialize", &json!({ "_meta": meta() }));
    assert_eq!(reason(read(&body, NONE)), Reason::HeaderMismatch);
}

#[test]
fn q19_modern_notifications_need_no_mirrors_but_must_not_lie() {
    let body = br#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
    let bare = Mirrored {
        protocol_version: Some(b"2026-07-28"),
        ..NONE
    };
    assert_eq!(read(body, bare).unwrap().era, Era::Modern);
    assert!(
        read(
            body,
            Mirrored {
                method: Some(b"notifications/cancelled"),
                ..bare
            }
        )
        .is_ok()
    );
    assert_eq!(
        reason(read(
            body,
            Mirrored {
                method: Some(b"tools/list"),
                ..bare
            }
        )),
        Reason::HeaderMismatch
    );
    let with_meta = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "_meta": meta() } }).to_string();
    assert!(read(with_meta.as_bytes(), bare).is_ok());
    assert_eq!(
        reason(read(with_meta.as_bytes(), NONE)),
        Reason::HeaderMismatch
    );
    assert_eq!(
        reason(read(with_meta.as_bytes(), LEGACY)),
        Reason::HeaderMismatch
    );
}
