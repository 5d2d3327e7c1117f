//! `gatewright dev`: what a newcomer sees, and that what is printed works when it is pasted into a shell.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Finished, Program, free_port, gatewright};
use crate::support::Upstream;

/// The lines of the greeting.
fn greeting(program: &Program) -> Vec<String> {
    program.until(|line| line.starts_with("The audit record is in"))
}

/// Pastes the line into a shell; head and body of the answer.
fn paste(line: &str) -> (String, Value) {
    let output = Command::new("sh")
        .args(["-c", line])
        .env_remove("http_proxy")
        .env_remove("ALL_PROXY")
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    // A result may come as an event.
    let data = body.lines().rfind(|line| line.starts_with("data: {"));
    let json = data.and_then(|line| line.strip_prefix("data: "));
    (
        head.to_ascii_lowercase(),
        serde_json::from_str(json.unwrap_or(body)).unwrap(),
    )
}

struct Dev {
    program: Program,
    lines: Vec<String>,
    curls: Vec<String>,
    _folder: TempDir,
}

fn dev(more: &[&str]) -> Dev {
    let folder = TempDir::new().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let arguments: Vec<_> = ["dev", "--listen", &listen, "--ledger", "record"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let program = Program::start(folder.path(), &arguments);
    let lines = greeting(&program);
    let url = format!("http://{listen}/");
    assert!(
        lines[0].starts_with("MCP URL") && lines[0].contains(&url),
        "{lines:?}"
    );
    let is_curl = |line: &&String| line.starts_with("curl ");
    let curls: Vec<_> = lines.iter().filter(is_curl).cloned().collect();
    assert_eq!(curls.len(), 3, "{lines:?}");
    Dev {
        program,
        lines,
        curls,
        _folder: folder,
    }
}

/// The three lines give a challenge, a result and a refusal.
fn assert_lines_hold(dev: &Dev) {
    let (head, _) = paste(&dev.curls[0]);
    assert!(head.starts_with("http/1.1 401"), "{head}");
    assert!(
        head.contains("www-authenticate: bearer resource_metadata=\""),
        "{head}"
    );
    let (head, body) = paste(&dev.curls[1]);
    assert!(head.starts_with("http/1.1 200"), "{head}\n{body}");
    assert!(body["result"].is_object(), "{body}");
    let (head, body) = paste(&dev.curls[2]);
    assert!(head.starts_with("http/1.1 403"), "{head}\n{body}");
    assert_eq!(body["error"]["code"], 40301, "{body}");
}

#[test]
fn the_printed_lines_give_a_challenge_a_result_and_a_refusal() {
    let mut dev = dev(&[]);
    let tokens: Vec<_> = dev
        .lines
        .iter()
        .filter(|line| line.contains(" token   "))
        .collect();
    assert_eq!(tokens.len(), 2, "one per role: {:?}", dev.lines);

    assert_lines_hold(&dev);

    let records = dev.program.until(|line| line.contains("tool_not_allowed"));
    let denied: Value = serde_json::from_str(records.last().unwrap()).unwrap();
    assert_eq!(denied["decision"], "deny", "the audit record follows");
    let shown = records.join("\n");
    for token in tokens {
        let token = token.split_whitespace().last().unwrap();
        assert!(!shown.contains(token), "a token is in the record");
    }
    dev.program.signal("TERM");
    let (status, took) = dev.program.ended();
    assert_eq!(status.code(), Some(0), "{}", dev.program.talk());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_can_take_the_place_of_the_embedded_one() {
    let upstream = Upstream::plain().await;

    let dev = dev(&["--upstream", &upstream.url()]);
    assert_lines_hold(&dev);

    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 1, "only the allowed call arrives");
    assert_eq!(arrived[0].header("authorization"), None);
}

#[test]
fn the_token_of_each_role_works_and_the_roles_differ() {
    let dev = dev(&[]);
    let token = |role: &str| {
        let line = dev
            .lines
            .iter()
            .find(|line| line.starts_with(role))
            .unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let (reader, editor) = (token("reader token"), token("editor token"));
    let adding = dev.curls[2]
        .replace("delete_note", "add_note")
        .replace(r#"{"id":1}"#, r#"{"title":"t","text":"x"}"#);
    assert!(
        adding.contains(&reader) && adding.contains(r#""title""#),
        "{adding}"
    );

    let (head, body) = paste(&adding);
    assert!(
        head.starts_with("http/1.1 403"),
        "a reader adds nothing: {head}\n{body}"
    );
    let (head, body) = paste(&adding.replace(&reader, &editor));
    assert!(head.starts_with("http/1.1 200"), "{head}\n{body}");
    assert_eq!(body["result"]["isError"], false, "{body}");
}

#[test]
fn dev_listens_on_loopback_only() {
    let folder = TempDir::new().unwrap();
    for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
        let finished = Finished::of(gatewright(folder.path(), &["dev", "--listen", address]));
        assert_ne!(finished.code, 0, "{address}");
        assert_eq!(
            finished.out, "",
            "{address}: nothing is printed that could be used"
        );
        assert!(
            finished.talk.contains("loopback"),
            "{address}: {}",
            finished.talk
        );
    }
}

#[test]
fn a_port_in_use_is_an_error_for_dev_too() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();

    let arguments = ["dev", "--listen", &address, "--ledger", "record"];
    let finished = Finished::of(gatewright(folder.path(), &arguments));

    assert_eq!((finished.code, finished.out.as_str()), (1, ""));
    assert!(finished.talk.contains(&address), "{}", finished.talk);
}
