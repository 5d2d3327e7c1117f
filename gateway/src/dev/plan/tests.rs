//! What each role may do under the built-in settings, and what is refused before there are any.

use std::path::PathBuf;

use gatewright_policies::{Access, Answer, Denial, Question};

use super::{Fronted, Plan};
use crate::config::Settings;
use crate::dev::{DevError, DevRole};
use crate::model::IssuerUrl;

fn plan(listen: &str, fronted: Fronted<'_>) -> Result<Settings, DevError> {
    let issuer = IssuerUrl::new("http://127.0.0.1:9");
    Plan {
        issuer: &issuer,
        fronted,
        listen: listen.parse().unwrap(),
        ledger: PathBuf::from("audit"),
    }
    .settings()
}

fn notes() -> Settings {
    plan("127.0.0.1:8080", Fronted::Notes("http://127.0.0.1:7/mcp")).unwrap()
}

fn decide(settings: &Settings, role: DevRole, access: Access, name: &str) -> Answer {
    let server = settings.servers[0].audience.server.as_str();
    let question = Question {
        server,
        roles: &[role.name()],
        access,
        name,
        scopes: role.scopes(),
    };
    settings
        .policy
        .decide(&question, || unreachable!("no row has a condition"))
}

#[test]
fn a_reader_reads_and_an_editor_also_adds() {
    let settings = notes();
    for role in DevRole::ALL {
        for (access, name) in [
            (Access::Tool, "search_notes"),
            (Access::Tool, "get_note"),
            (Access::Prompt, "summarise_note"),
            (Access::Resource, "note://1"),
            (Access::Resource, "note://{id}"),
        ] {
            assert!(
                decide(&settings, role, access, name).is_allow(),
                "{role:?} {name}"
            );
        }
    }
    assert!(decide(&settings, DevRole::Editor, Access::Tool, "add_note").is_allow());
    assert_eq!(
        decide(&settings, DevRole::Reader, Access::Tool, "add_note"),
        Answer::Deny(Denial::NoRule)
    );
}

#[test]
fn nobody_deletes() {
    for role in DevRole::ALL {
        assert_eq!(
            decide(&notes(), role, Access::Tool, "delete_note"),
            Answer::Deny(Denial::NoRule)
        );
    }
}

#[test]
fn an_editor_without_the_scope_is_told_which_one() {
    let settings = notes();
    let question = Question {
        server: "notes",
        roles: &[DevRole::Editor.name()],
        access: Access::Tool,
        name: "add_note",
        scopes: &["mcp:read"],
    };
    let answer = settings
        .policy
        .decide(&question, || unreachable!("no row has a condition"));
    assert!(
        matches!(answer, Answer::Deny(Denial::ScopeMissing { missing, .. }) if missing == ["mcp:write"])
    );
}

#[test]
fn the_resource_is_the_public_url_and_the_path() {
    let settings = notes();
    let [server] = &settings.servers[..] else {
        panic!("one server is planned")
    };
    assert_eq!(settings.public_url, "http://127.0.0.1:8080");
    assert_eq!(server.path, "/notes/mcp");
    assert_eq!(server.resource, "http://127.0.0.1:8080/notes/mcp");
    assert_eq!(
        server.audience.accepted,
        std::slice::from_ref(&server.resource)
    );
    assert_eq!(
        (
            server.upstream.host.as_str(),
            server.upstream.port,
            server.upstream.tls
        ),
        ("127.0.0.1", 7, false)
    );
    assert_eq!(server.upstream.path, "/mcp");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
        let refused = plan(listen, Fronted::Notes("http://127.0.0.1:7/mcp"));
        assert!(
            matches!(refused, Err(DevError::NotLoopback { .. })),
            "{listen}"
        );
    }
    assert!(plan("[::1]:8080", Fronted::Notes("http://127.0.0.1:7/mcp")).is_ok());
}

#[test]
fn an_address_without_a_port_is_refused() {
    let refused = plan("127.0.0.1:0", Fronted::Notes("http://127.0.0.1:7/mcp"));
    assert!(matches!(refused, Err(DevError::PortMissing { .. })));
}

#[test]
fn a_real_server_is_fronted_by_its_url() {
    let settings = plan(
        "127.0.0.1:8080",
        Fronted::Other("https://[2001:db8::1]/a/mcp?x=1"),
    )
    .unwrap();
    let upstream = &settings.servers[0].upstream;
    assert_eq!(
        (upstream.host.as_str(), upstream.port, upstream.tls),
        ("2001:db8::1", 443, true)
    );
    assert_eq!(upstream.path, "/a/mcp?x=1");
    assert!(decide(&settings, DevRole::Reader, Access::Tool, "list_things").is_allow());
    assert!(!decide(&settings, DevRole::Reader, Access::Tool, "make_thing").is_allow());
    assert!(decide(&settings, DevRole::Editor, Access::Tool, "make_thing").is_allow());
}

#[test]
fn a_url_that_cannot_be_fronted_is_refused() {
    for url in [
        "",
        "mcp",
        "ftp://a/",
        "http://",
        "http://u@a/mcp",
        "http://:p@a/mcp",
        "http://a/mcp#x",
    ] {
        let refused = plan("127.0.0.1:8080", Fronted::Other(url));
        assert!(matches!(refused, Err(DevError::Upstream { .. })), "{url}");
    }
}
