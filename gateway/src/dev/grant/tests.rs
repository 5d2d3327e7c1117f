//! Token requests, good and bad, without a socket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Clients, Granted, NotGranted};
use crate::dev::DevRole;
use crate::model::Secret;

const RESOURCE: &str = "resource=http%3A%2F%2F127.0.0.1%3A8080%2Fnotes%2Fmcp";

fn judge(authorization: Option<&str>, form: &str) -> Result<Granted, NotGranted> {
    let clients = Clients::new(
        Secret::new("r-secret".to_owned()),
        Secret::new("e-secret".to_owned()),
    );
    clients.judge(authorization, form.as_bytes())
}

fn by_form(rest: &str) -> Result<Granted, NotGranted> {
    judge(
        None,
        &format!("client_id=editor-agent&client_secret=e-secret&{rest}"),
    )
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

#[test]
fn a_client_gets_the_resource_and_scope_it_names() {
    let granted = by_form(&format!(
        "grant_type=client_credentials&scope=mcp:read&{RESOURCE}"
    ))
    .unwrap();
    let expected = Granted {
        role: DevRole::Editor,
        audience: "http://127.0.0.1:8080/notes/mcp".to_owned(),
        scope: "mcp:read".to_owned(),
    };
    assert_eq!(granted, expected);
}

#[test]
fn without_a_scope_a_client_gets_all_that_is_registered() {
    let granted = by_form(&format!("grant_type=client_credentials&{RESOURCE}")).unwrap();
    assert_eq!(granted.scope, "mcp:read mcp:write");
}

#[test]
fn a_client_may_show_its_secret_in_the_header() {
    let form = format!("grant_type=client_credentials&{RESOURCE}");
    assert_eq!(
        judge(Some(&basic("reader-agent:r-secret")), &form)
            .unwrap()
            .role,
        DevRole::Reader
    );
}

#[test]
fn a_wrong_secret_an_unknown_client_and_no_client_are_refused_alike() {
    let form = format!("grant_type=client_credentials&{RESOURCE}");
    for header in [
        Some(basic("reader-agent:e-secret")),
        Some(basic("nobody:r-secret")),
        Some(basic("reader-agent")),
        Some("Basic !".to_owned()),
        Some("Bearer cmVhZGVyLWFnZW50OnItc2VjcmV0".to_owned()),
        None,
    ] {
        assert_eq!(
            judge(header.as_deref(), &form),
            Err(NotGranted::InvalidClient),
            "{header:?}"
        );
    }
}

#[test]
fn two_ways_to_authenticate_are_refused() {
    let form = format!(
        "client_id=reader-agent&client_secret=r-secret&grant_type=client_credentials&{RESOURCE}"
    );
    assert_eq!(
        judge(Some(&basic("reader-agent:r-secret")), &form),
        Err(NotGranted::InvalidRequest)
    );
}

#[test]
fn a_repeated_parameter_is_refused() {
    let form = format!("grant_type=client_credentials&grant_type=client_credentials&{RESOURCE}");
    assert_eq!(by_form(&form), Err(NotGranted::InvalidRequest));
}

#[test]
fn other_grant_types_are_refused() {
    assert_eq!(
        by_form(&format!("grant_type=password&{RESOURCE}")),
        Err(NotGranted::UnsupportedGrantType)
    );
    assert_eq!(by_form(RESOURCE), Err(NotGranted::InvalidRequest));
}

#[test]
fn a_scope_beyond_the_registered_ones_is_refused() {
    for scope in ["admin", "mcp:read+admin", "mcp:read++mcp:write", ""] {
        let form = format!("grant_type=client_credentials&scope={scope}&{RESOURCE}");
        assert_eq!(by_form(&form), Err(NotGranted::InvalidScope), "{scope}");
    }
}

#[test]
fn no_resource_two_resources_and_half_a_resource_are_refused() {
    for resources in [
        "",
        "resource=a",
        "resource=http://a/%23x",
        "resource=http://a/&resource=http://b/",
    ] {
        let form = format!("grant_type=client_credentials&{resources}");
        assert_eq!(
            by_form(&form),
            Err(NotGranted::InvalidTarget),
            "{resources}"
        );
    }
}
