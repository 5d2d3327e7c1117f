//! Values that are well formed and still refused, wherever they stand; each with what is accepted.

use super::{issuer, loaded, of_issuer, of_server, only, plus, read, with};

#[test]
fn bad_address() {
    only(
        &plus("listen: { address: \"localhost:80\" }"),
        "bad-address 7:20 [\"localhost:80\"] write `127.0.0.1:80`",
    );
    only(
        &plus("ops: { address: 9180x }"),
        "bad-address 7:17 [9180x] write an IP address and a port, like `127.0.0.1:8080` or `[::1]:8080`",
    );
    loaded(&plus("listen: { address: \"[::1]:0\" }"));
}

#[test]
fn plain_listener() {
    let help = "add `listen.tls`, or set `insecure.plain_public_listener: true` behind a proxy that terminates TLS";
    only(
        &plus("listen: { address: \"0.0.0.0:8080\" }"),
        &format!("plain-listener 7:20 [\"0.0.0.0:8080\"] {help}"),
    );
    loaded(&plus(
        "listen: { address: \"0.0.0.0:8080\" }\ninsecure: { plain_public_listener: true }",
    ));
}

#[test]
fn bad_origin() {
    let origin = |origin: &str| plus(&format!("listen: {{ allowed_origins: [{origin}] }}"));
    let help = "write scheme, host and port, like `https://app.example.com`; there is no wildcard";
    only(&origin("\"*\""), &format!("bad-origin 7:29 [\"*\"] {help}"));
    only(
        &origin("\"null\""),
        &format!("bad-origin 7:29 [\"null\"] {help}"),
    );
    only(
        &origin("https://app.example.com/"),
        "bad-origin 7:29 [https://app.example.com/] write `https://app.example.com`",
    );
    loaded(&origin("https://app.example.com:8443"));
}

#[test]
fn bad_public_url() {
    for text in [
        "https://mcp.example.com/",
        "https://mcp.example.com/a",
        "https://mcp.example.com?a",
        "https://MCP.example.com",
    ] {
        only(
            &with("https://mcp.example.com", text),
            &format!("bad-public-url 2:13 [{text}] write `https://mcp.example.com`"),
        );
    }
    loaded(&with(
        "https://mcp.example.com",
        "https://mcp.example.com:8443",
    ));
}

#[test]
fn bad_url() {
    let full = "write it in full, like `https://example.com`";
    let plain = "write it without spaces, backslashes or a third slash";
    for (text, help) in [
        ("mcp.example.com", full),
        ("ftp://mcp.example.com", full),
        ("https:mcp.example.com", full),
        ("https://", full),
        ("https:///mcp.example.com", plain),
        ("https://mcp.example\\.com", plain),
        ("https://a b", plain),
        (
            "https://user@mcp.example.com",
            "write the URL without credentials",
        ),
        ("https://mcp.example.com#a", "drop everything from `#` on"),
    ] {
        only(
            &with("https://mcp.example.com", text),
            &format!("bad-url 2:13 [{text}] {help}"),
        );
    }
    only(
        &issuer("auth.example.com"),
        &format!("bad-url 4:24 [auth.example.com] {full}"),
    );
    only(
        &issuer("https://auth.example.com?a"),
        "bad-url 4:24 [https://auth.example.com?a] drop everything from `?` on (RFC 8414 section 2)",
    );
    only(
        &with("http://127.0.0.1:3000/mcp", "127.0.0.1"),
        &format!("bad-url 6:44 [127.0.0.1] {full}"),
    );
    only(
        &of_issuer("jwks_uri: /keys"),
        &format!("bad-url 4:60 [/keys] {full}"),
    );
}

#[test]
fn plain_public_url() {
    let text = with("https://mcp.example.com", "http://mcp.example.com");
    let help = "write an `https://` URL, or set `insecure.plain_public_listener: true`";
    only(
        &text,
        &format!("plain-public-url 2:13 [http://mcp.example.com] {help}"),
    );
    loaded(&format!(
        "{text}insecure: {{ plain_public_listener: true }}\n"
    ));
    for host in [
        "http://localhost:8080",
        "http://127.0.0.1",
        "\"http://[::1]:8080\"",
    ] {
        loaded(&with("https://mcp.example.com", host));
    }
}

#[test]
fn empty_list() {
    only(
        &with(
            "issuers:\n  - { name: corp, url: https://auth.example.com }",
            "issuers: []",
        ),
        "empty-list 3:10 [[] name at least one issuer: without it nobody can call",
    );
    only(
        &with(
            "servers:\n  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }",
            "servers: []",
        ),
        "empty-list 5:10 [[] name at least one server to stand in front of",
    );
    only(
        &of_issuer("algorithms: []"),
        "empty-list 4:62 [[] name at least one, or remove `algorithms` to have the default",
    );
    only(
        &of_issuer("token_types: []"),
        "empty-list 4:63 [[] name at least one, or remove `token_types` to have the default",
    );
    for key in ["issuers", "audiences"] {
        let help = format!("name at least one, or remove `{key}` to have the default");
        let column = 20 + key.len();
        only(
            &of_server(&format!("{key}: []")),
            &format!("empty-list 6:{column} [[] {help}"),
        );
    }
}

#[test]
fn empty_value() {
    only(
        &with("corp", "\"\""),
        "empty-value 4:13 [\"\"] write a name, or remove the key",
    );
    only(
        &of_issuer("model_claim: \"\""),
        "empty-value 4:63 [\"\"] write a name, or remove the key",
    );
    only(
        &of_server("audiences: [\"\"]"),
        "empty-value 6:30 [\"\"] write what the tokens carry in `aud`",
    );
    only(
        &plus("admin: { socket: \"\" }"),
        "empty-value 7:18 [\"\"] write a path, or remove the key",
    );
    only(
        &plus("policy: { roles: { \"\": {} } }"),
        "empty-value 7:20 [\"\"] write the name that tokens carry",
    );
}

#[test]
fn missing_file() {
    let help = "relative paths start at the folder of this file";
    let tls = plus("listen: { tls: { cert_file: no.crt, key_file: no.key } }");
    let codes: Vec<_> = read(&tls)
        .unwrap_err()
        .iter()
        .map(|mistake| (mistake.code, mistake.column))
        .collect();
    assert_eq!(codes, [("missing-file", 29), ("missing-file", 47)]);
    only(
        &of_issuer("jwks_file: no.json"),
        &format!("missing-file 4:61 [no.json] {help}"),
    );
    only(
        &of_issuer("jwks_file: src"),
        &format!("missing-file 4:61 [src] {help}"),
    );
    let https = with(
        "http://127.0.0.1:3000/mcp",
        "https://crm.internal, ca_file: no.pem",
    );
    only(&https, &format!("missing-file 6:75 [no.pem] {help}"));
    loaded(&https.replace("no.pem", "Cargo.toml"));
}

#[test]
fn no_effect() {
    only(
        &with("3000/mcp", "3000/mcp, ca_file: Cargo.toml"),
        "no-effect 6:80 [Cargo.toml] write an `https://` upstream, or remove `ca_file`",
    );
}

#[test]
fn same_address() {
    let help = "give each listener its own port";
    only(
        &plus("ops: { address: \"127.0.0.1:8080\" }"),
        &format!("same-address 7:17 [\"127.0.0.1:8080\"] {help}"),
    );
    only(
        &plus("ops: { address: \"0.0.0.0:8080\" }"),
        &format!("same-address 7:17 [\"0.0.0.0:8080\"] {help}"),
    );
    only(
        &plus("listen: { address: \"127.0.0.1:9180\" }"),
        &format!("same-address 7:20 [\"127.0.0.1:9180\"] {help}"),
    );
    loaded(&plus(
        "listen: { address: \"127.0.0.1:0\" }\nops: { address: \"127.0.0.1:0\" }",
    ));
}

#[test]
fn bad_size() {
    let help = "write a number of bytes or a size like `32KiB`, `4MiB` or `10MB`";
    only(
        &plus("limits: { body: 4mb }"),
        &format!("bad-size 7:17 [4mb] {help}"),
    );
    only(
        &plus("limits: { body: -1 }"),
        &format!("bad-size 7:17 [-1] {help}"),
    );
}

#[test]
fn bad_duration() {
    let help = "write a number with its unit, like `250ms`, `30s`, `10m` or `1h`";
    only(
        &plus("shutdown: { drain: soon }"),
        &format!("bad-duration 7:20 [soon] {help}"),
    );
}

#[test]
fn out_of_range() {
    for size in ["0", "65MiB"] {
        let help = "write a size from 1 to 64MiB";
        only(
            &plus(&format!("limits: {{ body: {size} }}")),
            &format!("out-of-range 7:17 [{size}] {help}"),
        );
    }
    loaded(&plus("limits: { body: 64MiB }"));
    let help = "write a duration from 1s to 24h";
    only(
        &of_issuer("max_token_lifetime: 25h"),
        &format!("out-of-range 4:70 [25h] {help}"),
    );
    loaded(&of_issuer("max_token_lifetime: 24h"));
    only(
        &of_server("read_timeout: 0s"),
        "out-of-range 6:32 [0s] write a duration from 1ms to 24h",
    );
}

#[test]
fn bad_status() {
    let help = "write `200` or `403`, or remove the key to follow the client's protocol revision";
    only(
        &plus("deny_http_status: 404"),
        &format!("bad-status 7:19 [404] {help}"),
    );
    loaded(&plus("deny_http_status: 403"));
}
