//! `gatewright audit erase` and `gatewright audit reveal` as an operator meets them.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::process::gatewright;
use crate::serving::Served;
use crate::support::{Setup, Upstream, modern, records_in};

fn piped(served: &Served, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = gatewright(served.folder(), arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_who_it_was_is_revealed_until_it_is_erased() {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        audit: ", subjects: sealed".to_owned(),
        ..Setup::default()
    };
    let served = Served::with(setup, &upstream).await;
    let message = modern("search_x", &json!({}));
    assert_eq!(served.agent.modern(&message).await.status, 200);
    let records = records_in(&served.folder().join("audit"));
    let decision: &Value = records
        .iter()
        .find(|record| record["kind"] == "decision")
        .unwrap();
    let pseudonym = decision["sub"].as_str().unwrap();
    let reveal = ["audit", "reveal", "-c", "gatewright.yaml"];

    let (code, out) = piped(&served, &reveal, &format!("{decision}\n"));
    assert_eq!(code, 0, "{out}");
    let opened: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&opened["sub"], &opened["source"]["ip"]),
        (&json!("alice"), &json!("127.0.0.1"))
    );
    let named = served.verb(&["audit", "reveal", "--ledger", "audit", pseudonym]);
    assert_eq!(
        (named.code, named.out.as_str()),
        (0, "alice  https://auth.test\n")
    );

    let erase = || {
        let whom = ["--issuer", "https://auth.test", "--sub", "alice"];
        served.verb(&[&["audit", "erase"][..], &whom].concat())
    };
    let erased = erase();
    assert_eq!(
        (erased.code, erased.out),
        (0, format!("erased {pseudonym}\n"))
    );
    let named = served.verb(&["audit", "reveal", "--ledger", "audit", pseudonym]);
    assert_eq!((named.code, named.out.as_str()), (1, ""), "{}", named.talk);
    let (_, out) = piped(&served, &reveal, &format!("{decision}\n"));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), *decision);
    assert_eq!(erase().code, 1, "there is nothing left to erase");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_and_who_is_not_reached_are_told_by_exit_codes() {
    let upstream = Upstream::plain().await;
    let served = Served::with(Setup::default(), &upstream).await;
    let reveal = ["audit", "reveal", "-c", "gatewright.yaml"];
    assert_eq!(piped(&served, &reveal, "no record\n").0, 1);
    assert_eq!(piped(&served, &reveal, "{}\n"), (0, "{}\n".to_owned()));
    let erase = |more: &[&str]| {
        let arguments = ["audit", "erase", "--issuer", "a", "--sub", "b"];
        served.verb(&[&arguments, more].concat()).code
    };
    assert_eq!(erase(&[]), 1, "its records name persons plainly");
    assert_eq!(erase(&["--socket", "none.sock"]), 5);
}
