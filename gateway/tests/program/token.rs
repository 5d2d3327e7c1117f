//! `gatewright token inspect`: what it says about good and bad tokens, and what it never says.

use std::io::{Read as _, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::process::{Finished, gatewright};
use crate::support::{Issuer, Setup, now};

const SERVERS: &str = "http://127.0.0.1:1/mcp";

/// The folder of a configuration with one server.
fn setup() -> Setup {
    let setup = Setup::default();
    write(&setup, &setup.yaml(SERVERS));
    setup
}

fn write(setup: &Setup, yaml: &str) {
    std::fs::write(setup.folder.path().join("gatewright.yaml"), yaml).unwrap();
}

fn inspect(folder: &Path, arguments: &[&str], token: &str) -> Finished {
    let mut command = gatewright(folder, &[&["token", "inspect"], arguments].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have refused its arguments and gone.
    let _ = writeln!(stdin, "{token}");
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        talk: text(output.stderr),
    }
}

/// Times are of the moment; each is as wide as any other.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("20").filter(|at| rest.len() >= at + 24) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let is_time = after.as_bytes()[10] == b'T' && after.as_bytes()[23] == b'Z';
        let (time, tail) = after.split_at(if is_time { 24 } else { 2 });
        out.push_str(if is_time {
            "2026-01-01T00:00:00.000Z"
        } else {
            time
        });
        rest = tail;
    }
    out + rest
}

/// A good token, and its claims to be bent.
fn claims(setup: &Setup) -> Value {
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read crm:refund");
    claims["jti"] = json!("token-1");
    claims
}

#[test]
fn a_good_token_is_accepted_with_every_check_and_its_principal() {
    let setup = setup();
    let token = setup.issuer.sign_claims(&claims(&setup));
    let shown = inspect(setup.folder.path(), &["-"], &token);
    assert_eq!((shown.code, shown.talk.as_str()), (0, ""), "{}", shown.out);
    assert_eq!(without_times(&shown.out), include_str!("token/good.txt"));
}

#[test]
fn a_bad_token_is_told_everything_that_is_wrong_with_it_at_once() {
    let setup = setup();
    let mut claims = claims(&setup);
    claims["aud"] = json!(["http://localhost:8080/billing/mcp", "https://other.example"]);
    claims["exp"] = json!(now() - 3600);
    claims["iat"] = json!(now() - 4200);
    claims["sub"] = json!("alice\u{1b}[31m");
    claims.as_object_mut().unwrap().remove("jti");
    let token = Issuer::new().sign_claims(&claims);
    let shown = inspect(setup.folder.path(), &["-"], &token);
    assert_eq!((shown.code, shown.talk.as_str()), (1, ""), "{}", shown.out);
    assert_eq!(without_times(&shown.out), include_str!("token/bad.txt"));
}

#[test]
fn neither_token_nor_signature_is_ever_printed() {
    let setup = setup();
    let good = setup.issuer.sign_claims(&claims(&setup));
    let forged = Issuer::new().sign_claims(&claims(&setup));
    let header = json!({"alg": "HS256", "typ": "at+jwt"});
    let symmetric = setup.issuer.sign(&header, &claims(&setup));
    for token in [
        good.clone(),
        forged,
        symmetric,
        format!("{good}="),
        format!("x{good}"),
    ] {
        for arguments in [&["-"][..], &["-o", "json", "-"]] {
            let shown = inspect(setup.folder.path(), arguments, &token);
            let all = format!("{}{}", shown.out, shown.talk);
            for part in token.split('.') {
                assert!(!all.contains(part), "{all}");
            }
        }
    }
}

#[test]
fn what_programs_read_names_every_check_and_the_result() {
    let setup = setup();
    let mut claims = claims(&setup);
    claims["iss"] = json!("https://evil.example");
    let token = setup.issuer.sign_claims(&claims);
    let shown = inspect(setup.folder.path(), &["-o", "json", "-"], &token);
    assert_eq!((shown.code, shown.talk.as_str()), (1, ""));
    let told: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(told["accepted"], false);
    assert_eq!(told["server"], "crm");
    let check = |name: &str| {
        let checks = told["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{told:#}")).clone()
    };
    let issuer = check("issuer");
    assert_eq!(issuer["outcome"], "failed");
    assert_eq!(issuer["result"], "wrong_issuer");
    assert_eq!(issuer["expected"], "https://auth.test");
    assert_eq!(issuer["got"], "https://evil.example");
    assert_eq!(check("audience")["outcome"], "ok");
    assert_eq!(check("algorithm")["outcome"], "unjudged");
    assert_eq!(check("signature")["outcome"], "unjudged");
}

#[test]
fn keys_that_cannot_be_had_are_named_with_their_cause() {
    let setup = setup();
    let yaml = setup.yaml(SERVERS);
    let keys = "jwks_uri: http://127.0.0.1:1/keys";
    write(&setup, &yaml.replace("jwks_file: jwks.json", keys));
    let token = setup.issuer.sign_claims(&claims(&setup));
    let shown = inspect(setup.folder.path(), &["-o", "json", "-"], &token);
    assert_eq!(shown.code, 1);
    let told: Value = serde_json::from_str(&shown.out).unwrap();
    let failed = |check: &&Value| check["outcome"] == "failed";
    let failed: Vec<_> = told["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(failed)
        .collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0]["result"], "keys_unavailable");
    let got = failed[0]["got"].as_str().unwrap();
    assert!(
        got.starts_with("no keys: `http://127.0.0.1:1/keys` cannot be fetched: "),
        "{got}"
    );
}

#[test]
fn a_server_has_to_be_named_when_there_are_several() {
    let setup = Setup::default();
    let setup = Setup {
        server: "  - name: billing\n    path: /billing/mcp\n    upstream: http://127.0.0.1:1/mcp\n"
            .to_owned(),
        ..setup
    };
    write(&setup, &setup.yaml(SERVERS));
    let token = setup.issuer.sign_claims(&claims(&setup));
    for (arguments, code) in [
        (&["--server", "crm", "-"][..], 0),
        (&["--server", "billing", "-"], 1),
        (&["--server", "wiki", "-"], 2),
        (&["-"], 2),
        (&[], 2),
        (&["eyJhbGciOiJFUzI1NiJ9.e30.AAAA"], 2),
        (&["-c", "nowhere.yaml", "-"], 3),
    ] {
        let shown = inspect(setup.folder.path(), arguments, &token);
        assert_eq!(shown.code, code, "{arguments:?}: {}", shown.talk);
        assert_eq!(code > 1, shown.out.is_empty(), "{arguments:?}");
    }
    let told = inspect(setup.folder.path(), &["-"], &token).talk;
    assert_eq!(
        told,
        "error: name one server with `--server`: crm, billing\n"
    );
}

#[test]
fn a_scheme_in_front_may_stay_and_what_is_no_token_is_said_so() {
    let setup = setup();
    let token = setup.issuer.sign_claims(&claims(&setup));
    let folder = setup.folder.path();
    assert_eq!(inspect(folder, &["-"], &format!("Bearer {token}")).code, 0);
    for (written, told) in [
        ("", "what is on stdin is no token"),
        ("a b c", "what is on stdin is no token"),
        (&*"a".repeat(9000), "a token of more than 8192 bytes"),
    ] {
        let shown = inspect(folder, &["-"], written);
        assert_eq!((shown.code, shown.out.as_str()), (1, ""), "{written}");
        assert!(shown.talk.contains(told), "{}", shown.talk);
    }
    let opaque = inspect(folder, &["-"], "gwk_abc");
    assert_eq!(opaque.code, 1);
    assert!(opaque.out.contains("an API key"), "{}", opaque.out);
}

/// An introspection endpoint that answers every question so; its URL.
fn endpoint(answer: &Value) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/introspect", listener.local_addr().unwrap());
    let body = answer.to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).unwrap();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            socket.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn an_opaque_token_is_judged_by_what_its_issuer_says() {
    let time = now();
    let active = json!({
        "active": true, "aud": crate::support::resource(), "sub": "alice", "client_id": "desk",
        "iat": time, "exp": time + 600, "scope": "crm:read", "roles": ["analyst"],
    });
    for (answer, code, told) in [
        (active, 0, "alice"),
        (json!({ "active": false }), 1, "is not active"),
    ] {
        let setup = setup();
        std::fs::write(setup.folder.path().join("secret"), "s").unwrap();
        let asked = format!(
            "jwks_file: jwks.json\n    introspection: {{ endpoint: \"{}\", client_id: g, client_secret_file: secret }}",
            endpoint(&answer)
        );
        write(
            &setup,
            &setup.yaml(SERVERS).replace("jwks_file: jwks.json", &asked),
        );
        let shown = inspect(setup.folder.path(), &["-"], "opaque-token");
        assert_eq!(shown.code, code, "{}{}", shown.out, shown.talk);
        assert!(
            shown.out.contains("introspection") && shown.out.contains(told),
            "{}",
            shown.out
        );
        assert!(!shown.out.contains("opaque-token"), "{}", shown.out);
    }
}
