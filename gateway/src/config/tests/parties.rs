//! Issuers, servers and rules that are refused, each with one that is accepted.

use super::{issuer, loaded, of_issuer, of_server, only, plus, read, with};

/// The smallest file with another path.
fn path(path: &str) -> String {
    with("/crm/mcp", path)
}

#[test]
fn plain_issuer() {
    let help = "write an `https://` URL; plain http is for an issuer on this machine";
    let text = issuer("http://auth.example.com");
    only(
        &text,
        &format!("plain-issuer 4:24 [http://auth.example.com] {help}"),
    );
    only(
        &of_issuer("jwks_uri: http://a.example"),
        &format!("plain-issuer 4:60 [http://a.example] {help}"),
    );
    loaded(&issuer("http://127.0.0.1:9000"));
}

#[test]
fn j17_a_template_is_no_issuer() {
    only(
        &issuer("\"https://login.example.com/{tenantid}/v2.0\""),
        "template-issuer 4:24 [\"https://login.example.com/{tenantid}/v2.0\"] \
         write the URL of one tenant, as its tokens carry it in `iss`",
    );
}

#[test]
fn duplicate_issuer() {
    let second = |entry: &str| with("servers:", &format!("  - {{ {entry} }}\nservers:"));
    let help = "line 4 has it: give each its own";
    only(
        &second("name: corp, url: https://b.example.com"),
        &format!("duplicate-issuer 5:13 [corp] {help}"),
    );
    only(
        &second("name: b, url: https://auth.example.com"),
        &format!("duplicate-issuer 5:21 [https://auth.example.com] {help}"),
    );
    loaded(&second("name: b, url: https://auth.example.com/"));
}

#[test]
fn two_key_sources() {
    only(
        &of_issuer("jwks_uri: https://a.example, jwks_file: Cargo.toml"),
        "two-key-sources 4:90 [Cargo.toml] keep one of them",
    );
}

#[test]
fn unsafe_algorithm() {
    for name in ["HS256", "hs512"] {
        let expected =
            format!("unsafe-algorithm 4:63 [{name}] use `ES256` or `RS256` (RFC 8725 section 3.1)");
        only(&of_issuer(&format!("algorithms: [{name}]")), &expected);
    }
    only(
        &of_issuer("algorithms: [none]"),
        "unsafe-algorithm 4:63 [none] remove it (RFC 8725 section 3.2)",
    );
}

#[test]
fn unknown_algorithm() {
    only(
        &of_issuer("algorithms: [es256]"),
        "unknown-algorithm 4:63 [es256] did you mean `ES256`?",
    );
    only(
        &of_issuer("algorithms: [ES265]"),
        "unknown-algorithm 4:63 [ES265] did you mean `ES256`?",
    );
}

#[test]
fn bad_token_type() {
    let help = "write the token's `typ`, like `at+jwt` or `JWT`";
    only(
        &of_issuer("token_types: [a b]"),
        &format!("bad-token-type 4:64 [a b] {help}"),
    );
}

#[test]
fn bad_claim_path() {
    let help = "write member names with dots between them, like `realm_access.roles`";
    only(
        &of_issuer("roles_claim: a..b"),
        &format!("bad-claim-path 4:63 [a..b] {help}"),
    );
    only(
        &of_issuer("roles_claim: []"),
        &format!("bad-claim-path 4:63 [[] {help}"),
    );
}

#[test]
fn bad_server_name() {
    let help = "write 1 to 64 of `a` to `z`, `0` to `9`, `_` and `-`";
    for name in ["Crm", "c.m", "\"\""] {
        only(
            &with("name: crm", &format!("name: {name}")),
            &format!("bad-server-name 6:13 [{name}] {help}"),
        );
    }
    loaded(&with("name: crm", &format!("name: {}", "a".repeat(64))));
    assert!(read(&with("name: crm", &format!("name: {}", "a".repeat(65)))).is_err());
}

#[test]
fn duplicate_server() {
    let text = plus("  - { name: crm, path: /b, upstream: http://127.0.0.1:1 }");
    only(
        &text,
        "duplicate-server 7:13 [crm] line 6 has it: give each its own",
    );
}

#[test]
fn duplicate_path() {
    let text = plus("  - { name: b, path: /crm/mcp, upstream: http://127.0.0.1:1 }");
    only(
        &text,
        "duplicate-path 7:22 [/crm/mcp] line 6 has it: give each its own",
    );
    let slash = read(&text.replace("b, path: /crm/mcp", "b, path: /crm/mcp/")).unwrap_err();
    let codes: Vec<_> = slash.iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, ["duplicate-path", "bad-path"]);
    loaded(&text.replace("b, path: /crm/mcp", "b, path: /crm/mcp/v2"));
}

#[test]
fn bad_path() {
    for (text, help) in [
        ("crm", "write it from the root, like `/crm/mcp`"),
        ("/", "drop the slash: both spellings will work"),
        ("/crm/", "drop the slash: both spellings will work"),
        ("/a//b", "write one slash between segments"),
        ("/a/./b", "write the path that is meant"),
        ("/a/..", "write the path that is meant"),
        ("/a%2fb", "choose a path of plain letters"),
        ("/a?b", "drop everything from `?` on"),
        ("/a#b", "choose a path of plain letters"),
        ("/a\\b", "choose a path of plain letters"),
        ("/é", "choose a path of plain letters"),
    ] {
        only(&path(text), &format!("bad-path 6:24 [{text}] {help}"));
    }
    loaded(&path("/a/b.c_d-e~1/mcp"));
}

#[test]
fn reserved_path() {
    let help = "choose a path outside `/.well-known`, like `/crm/mcp`";
    only(
        &path("/.well-known"),
        &format!("reserved-path 6:24 [/.well-known] {help}"),
    );
    only(
        &path("/.well-known/x"),
        &format!("reserved-path 6:24 [/.well-known/x] {help}"),
    );
    loaded(&path("/.well-knowns"));
}

#[test]
fn unknown_issuer() {
    only(
        &of_server("issuers: [crop]"),
        "unknown-issuer 6:28 [crop] did you mean `corp`?",
    );
    loaded(&of_server("issuers: [corp]"));
}

#[test]
fn unknown_server() {
    let text = |server: &str| {
        plus(&format!(
            "policy: {{ roles: {{ a: {{ {server}: [x] }} }} }}"
        ))
    };
    only(
        &text("cmr"),
        "unknown-server 7:25 [cmr] did you mean `crm`?",
    );
    loaded(&text("crm"));
}

/// The smallest file with one rule.
fn rule(rule: &str) -> String {
    plus(&format!(
        "policy: {{ roles: {{ a: {{ crm: [{rule}] }} }} }}"
    ))
}

#[test]
fn empty_pattern() {
    only(
        &rule("\"\""),
        "empty-pattern 7:31 [\"\"] write a name, or `*` for every name",
    );
    only(
        &rule("{ prompt: \"\" }"),
        "empty-pattern 7:41 [\"\"] write a name, or `*` for every name",
    );
}

#[test]
fn bad_pattern() {
    only(
        &rule("\"get_[a\""),
        "bad-pattern 7:31 [\"get_[a\"] `*` and `?` are the only wildcards",
    );
    loaded(&rule("\"get_*\""));
}

#[test]
fn ambiguous_rule() {
    let help = "write exactly one of `tool`, `prompt` and `resource`";
    only(
        &rule("{ tool: a, prompt: b }"),
        &format!("ambiguous-rule 7:31 [{{] {help}"),
    );
    only(
        &rule("{ scopes: [a] }"),
        &format!("ambiguous-rule 7:31 [{{] {help}"),
    );
}

#[test]
fn bad_scope() {
    let help = "write each scope on its own, without spaces or quotes";
    only(
        &of_server("scopes: [a b]"),
        &format!("bad-scope 6:27 [a b] {help}"),
    );
    only(
        &rule("{ tool: x, scopes: [\"\"] }"),
        &format!("bad-scope 7:51 [\"\"] {help}"),
    );
    loaded(&of_server(
        "scopes: [\"crm:read\", \"https://a.example/x!\"]",
    ));
}

#[test]
fn forbidden_scope() {
    let help = "remove it: clients ask the issuer for it themselves";
    only(
        &of_server("scopes: [offline_access]"),
        &format!("forbidden-scope 6:27 [offline_access] {help}"),
    );
}
