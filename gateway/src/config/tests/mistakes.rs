//! Files that are no configuration: syntax, keys, shapes, variables; and how several mistakes look together.

use super::{loaded, only, plus, read, with};

#[test]
fn one_unknown_key_is_shown_like_a_compiler_would() {
    let mistakes = read(&with("issuers", "isuers")).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "error[unknown-key]: unknown key `isuers`\n \
         --> gatewright.yaml:3:1\n  |\n3 | isuers:\n  | ^^^^^^\n  = help: did you mean `issuers`?"
    );
}

#[test]
fn six_mistakes_are_shown_at_once() {
    let text = "\
version: 2
public_url: https://mcp.example.com/
issuers:
  - { name: corp, url: https://auth.example.com, algorithms: [HS256] }
servers:
  - { name: crm, path: /crm/mcp/, upstrem: http://127.0.0.1:3000/mcp }
policy: { roles: { analyst: { cmr: [search_*] } } }
";
    assert_eq!(
        read(text).unwrap_err().to_string(),
        "\
error[unsupported-version]: this gateway does not know version 2 of the file
 --> gatewright.yaml:1:10
  |
1 | version: 2
  |          ^
  = help: write `version: 1`

error[bad-public-url]: `public_url` ends with a slash
 --> gatewright.yaml:2:13
  |
2 | public_url: https://mcp.example.com/
  |             ^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `https://mcp.example.com`

error[unsafe-algorithm]: `HS256` is symmetric: whoever can check a token could also make one
 --> gatewright.yaml:4:63
  |
4 |   - { name: corp, url: https://auth.example.com, algorithms: [HS256] }
  |                                                               ^^^^^
  = help: use `ES256` or `RS256` (RFC 8725 section 3.1)

error[bad-path]: the path `/crm/mcp/` ends with a slash
 --> gatewright.yaml:6:24
  |
6 |   - { name: crm, path: /crm/mcp/, upstrem: http://127.0.0.1:3000/mcp }
  |                        ^^^^^^^^^
  = help: drop the slash: both spellings will work

error[unknown-key]: unknown key `upstrem`
 --> gatewright.yaml:6:35
  |
6 |   - { name: crm, path: /crm/mcp/, upstrem: http://127.0.0.1:3000/mcp }
  |                                   ^^^^^^^
  = help: did you mean `upstream`?

error[unknown-server]: no server is named `cmr`
 --> gatewright.yaml:7:31
  |
7 | policy: { roles: { analyst: { cmr: [search_*] } } }
  |                               ^^^
  = help: did you mean `crm`?"
    );
}

#[test]
fn syntax() {
    only(
        "version: 1\nissuers: [a\npublic_url: b\n",
        "syntax 3:11 [:] look at the indentation, the brackets and the quotes up to here",
    );
    only(
        &plus("policy: { roles: { a: { crm: [*] } } }"),
        "syntax 7:31 [*] put quotes around a value that starts with this character",
    );
}

#[test]
fn a_file_that_is_no_map() {
    only(
        "",
        "wrong-type 1:1 [] write `key: value` lines below, indented",
    );
    only(
        "- a",
        "wrong-type 1:1 [-] write `key: value` lines below, indented",
    );
}

#[test]
fn unknown_key() {
    only(
        &with("version: 1", "version: 1\nverson: 1"),
        "unknown-key 2:1 [verson] did you mean `version`?",
    );
    only(
        &plus("listen: { tlss: 1 }"),
        "unknown-key 7:11 [tlss] did you mean `tls`?",
    );
    only(
        &plus("ops: { port: 1 }"),
        "unknown-key 7:8 [port] known here: `address`",
    );
    only(
        &plus("policy: { roles: { a: { crm: [{ tol: x, scopes: [] , tool: y}] } } }"),
        "unknown-key 7:33 [tol] did you mean `tool`?",
    );
}

#[test]
fn a_key_of_a_later_version_is_unknown() {
    only(
        &plus("audit: { relay: [] }"),
        "unknown-key 7:10 [relay] known here: `ledger`, `durability`, `on_failure`, `arguments`, `queue`, `wait`, `ship`",
    );
}

#[test]
fn duplicate_key() {
    only(
        &plus("ops: { address: \"127.0.0.1:1\" }\nops: { address: \"127.0.0.1:2\" }"),
        "duplicate-key 8:1 [ops] it stands on line 7 already: keep one",
    );
    only(
        &plus("policy:\n  roles:\n    a: { crm: [x] }\n    a: { crm: [y] }"),
        "duplicate-key 10:5 [a] it stands on line 9 already: keep one",
    );
}

#[test]
fn missing_key() {
    only(
        &with("version: 1\n", ""),
        "missing-key 1:1 [public_url] add `version: 1`",
    );
    only(
        &with("name: corp, ", ""),
        "missing-key 4:5 [{] add `name: corp`",
    );
    only(
        &plus("listen: { tls: { key_file: Cargo.toml } }"),
        "missing-key 7:16 [{] add `cert_file: tls.crt`",
    );
    only(
        &with(
            "issuers:\n  - { name: corp, url: https://auth.example.com }\n",
            "",
        ),
        ISSUERS_MISSING,
    );
}

#[test]
fn wrong_type() {
    only(
        &with("version: 1", "version: \"1\""),
        "wrong-type 1:10 [\"1\"] write a whole number without quotes",
    );
    only(
        &with("https://mcp.example.com", "5"),
        "wrong-type 2:13 [5] write a string; put quotes around a number",
    );
    only(
        &plus("listen:"),
        "wrong-type 7:1 [listen] write `key: value` lines below, indented",
    );
    only(
        &plus("insecure: { plain_public_listener: yes }"),
        "wrong-type 7:36 [yes] write `true` or `false`",
    );
    only(
        &with("name: crm,", "name: crm, scopes: crm:read,"),
        "wrong-type 6:26 [crm:read] write `[a, b]`, or one `- item` per line",
    );
    only(
        &plus("shutdown: { drain: 20 }"),
        "wrong-type 7:20 [20] write a number with its unit, like `250ms`, `30s`, `10m` or `1h`",
    );
    only(
        &plus("limits: { body: 1.5 }"),
        "wrong-type 7:17 [1.5] write a number of bytes or a size like `32KiB`, `4MiB` or `10MB`",
    );
    only(
        &plus("policy: { roles: { a: { crm: } } }"),
        "wrong-type 7:25 [crm] write `[a, b]`, or one `- item` per line",
    );
}

const ISSUERS_MISSING: &str =
    "missing-key 1:1 [version] add `issuers: [{ name: corp, url: https://auth.example.com }]`";

#[test]
fn not_available() {
    let row = |key: &str| {
        plus(&format!(
            "policy: {{ roles: {{ a: {{ crm: [{{ tool: x, {key}: y }}] }} }} }}"
        ))
    };
    only(&row("when"), "not-available 7:42 [when] remove `when`");
    only(
        &row("approval"),
        "not-available 7:42 [approval] remove `approval`",
    );
    only(
        &plus("policy: { mode: shadow }"),
        "not-available 7:17 [shadow] write `mode: enforce`",
    );
    only(
        &plus("audit: { durability: disk }"),
        "not-available 7:22 [disk] write `durability: os`",
    );
    only(
        &plus("audit: { on_failure: spill }"),
        "not-available 7:22 [spill] write `on_failure: deny`",
    );
    only(
        &plus("audit: { arguments: fields }"),
        "not-available 7:21 [fields] write `arguments: none` or `digest`",
    );
}

#[test]
fn shadow_mode_is_said_to_be_missing_from_this_version() {
    let mistakes = read(&plus("policy: { mode: shadow }")).unwrap_err();
    assert_eq!(
        mistakes.iter().next().unwrap().message,
        "`mode: shadow` is not available in this version"
    );
}

#[test]
fn unknown_value() {
    only(
        &plus("policy: { mode: enforced }"),
        "unknown-value 7:17 [enforced] did you mean `enforce`?",
    );
    only(
        &plus("audit: { durability: fsync }"),
        "unknown-value 7:22 [fsync] known here: `os`",
    );
    only(
        &plus("audit: { on_failure: dney }"),
        "unknown-value 7:22 [dney] did you mean `deny`?",
    );
    only(
        &plus("audit: { arguments: digests }"),
        "unknown-value 7:21 [digests] did you mean `digest`?",
    );
}

#[test]
fn unsupported_version() {
    only(
        &with("version: 1", "version: 2"),
        "unsupported-version 1:10 [2] write `version: 1`",
    );
}

#[test]
fn unset_variable() {
    only(
        &with("name: corp", "name: \"x-${NOPE}-y\""),
        "unset-variable 4:16 [${NOPE}] set `NOPE`, or write `$${NOPE}` for the text itself",
    );
}

#[test]
fn bad_variable() {
    only(
        &with("name: corp", "name: \"${no name}\""),
        "bad-variable 4:14 [${no name}] write `${NAME}`, or `$${` for the text itself",
    );
}

#[test]
fn an_escaped_variable_is_text() {
    let settings = loaded(&with("name: corp", "name: \"$${NOPE}\""));
    assert_eq!(settings.issuers[0].name, "${NOPE}");
}

#[test]
fn an_alias_points_to_the_value_that_is_wrong() {
    let text = plus("listen: { address: &here nowhere }\nops: { address: *here }");
    only(
        &text,
        "bad-address 7:26 [nowhere] write an IP address and a port, like `127.0.0.1:8080` or `[::1]:8080`",
    );
}

#[test]
fn wide_files_are_stopped_before_they_take_long() {
    let before = std::time::Instant::now();
    let list = format!("allowed_origins: [{}]", "x, ".repeat(200_000));
    let mistakes = read(&plus(&format!("listen: {{ {list} }}"))).unwrap_err();
    assert_eq!(mistakes.iter().next().unwrap().code, "syntax");
    assert!(
        before.elapsed() < std::time::Duration::from_secs(2),
        "took {:?}",
        before.elapsed()
    );
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_loads_or_is_explained(cut in 0_usize..900, length in 1_usize..40, with in "[ -~]{0,3}") {
        let kept: String = super::EXAMPLE.chars().take(cut).collect();
        let rest: String = super::EXAMPLE.chars().skip(cut + length).collect();
        if let Err(mistakes) = read(&format!("{kept}{with}{rest}")) {
            for mistake in &mistakes {
                proptest::prop_assert_ne!(mistake.code, "incomplete");
                proptest::prop_assert!(mistake.width > 0 && mistake.column > 0);
            }
        }
    }

    #[test]
    fn any_text_loads_or_is_explained(text in "\\PC{0,200}") {
        if let Err(mistakes) = read(&text) {
            proptest::prop_assert!(mistakes.iter().all(|mistake| mistake.code != "incomplete"));
        }
    }
}

#[test]
fn one_mistake_hides_none_and_makes_no_others() {
    let text = with("- { name: corp, url: https://auth.example.com }", "5");
    let text = text.replace("name: crm,", "name: crm, issuers: [corp],");
    only(
        &format!("{text}policy: {{ roles: {{ a: {{ crm: [x] }} }} }}\n"),
        "wrong-type 4:3 [5] write `[a, b]`, or one `- item` per line",
    );
}

#[test]
fn a_value_of_the_environment_is_not_shown() {
    let secret = |name: &str| (name == "PW").then(|| "s3cret".to_owned());
    for upstream in ["http://u:${PW}@127.0.0.1:3000/mcp", "${PW}"] {
        let text = super::SMALLEST.replace("http://127.0.0.1:3000/mcp", &format!("\"{upstream}\""));
        let mistakes = super::parse(&text, std::path::Path::new("g.yaml"), &secret).unwrap_err();
        let shown = format!("{mistakes}{}", mistakes.to_json());
        assert!(shown.contains("${PW}"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
