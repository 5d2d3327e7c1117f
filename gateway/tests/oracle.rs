//! The gateway against an oracle: whatever it would send on, a slow and plain model of the rules allows, and readers in
//! other languages read the same method and name in it.

#![cfg(test)]

#[path = "oracle/heads.rs"]
mod heads;
#[path = "oracle/json.rs"]
mod json;
#[path = "oracle/judge.rs"]
mod judge;
#[path = "oracle/messages.rs"]
mod messages;
#[path = "oracle/model.rs"]
mod model;
#[path = "oracle/processes.rs"]
mod processes;
#[path = "oracle/readers.rs"]
mod readers;
#[path = "oracle/rules.rs"]
mod rules;
#[path = "oracle/subject.rs"]
mod subject;

use std::cell::RefCell;
use std::path::Path;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

use messages::Sent;
use model::Deed;
use processes::PROGRAMS;

/// Tries many messages and returns those that would be sent on, with what they do.
fn sent_on(cases: u32, messages: impl Strategy<Value = Sent>) -> Vec<(Vec<u8>, Deed)> {
    let table = subject::table();
    let found = RefCell::new(Vec::new());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&messages, |sent| {
        for head in [sent.head(), model::Head::default()] {
            if let Some(deed) = judge::message(&sent.body, &head, &table) {
                found.borrow_mut().push((sent.body.clone(), deed));
            }
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    found.into_inner()
}

/// Node and Python read in each message what was decided on.
fn all_read_alike(sent: &[(Vec<u8>, Deed)]) {
    let bodies: Vec<Vec<u8>> = sent.iter().map(|(body, _)| body.clone()).collect();
    for program in PROGRAMS {
        let readings = processes::readings(program, &bodies);
        for ((body, deed), reading) in sent.iter().zip(&readings) {
            readers::agree(deed, reading, program.0, body);
        }
    }
}

fn calls(sent: &[(Vec<u8>, Deed)]) -> usize {
    let is_call = |(_, deed): &&(Vec<u8>, Deed)| deed.method == "tools/call";
    sent.iter().filter(is_call).count()
}

#[test]
fn q19_structured_messages_that_are_sent_on_are_allowed_and_read_alike() {
    let sent = sent_on(20_000, messages::structured());
    assert!(calls(&sent) > 500, "only {} calls pass", calls(&sent));
    all_read_alike(&sent);
}

#[test]
fn q19_q20_q22_q23_messages_under_false_headers_that_are_sent_on_are_allowed() {
    let sent = sent_on(20_000, messages::disguised());
    assert!(calls(&sent) > 500, "only {} calls pass", calls(&sent));
    all_read_alike(&sent);
}

#[test]
fn q02_changed_messages_that_are_sent_on_are_allowed_and_read_alike() {
    let sent = sent_on(20_000, messages::mutated());
    assert!(calls(&sent) > 100, "only {} calls pass", calls(&sent));
    all_read_alike(&sent);
}

#[test]
fn q14_bytes_at_random_are_not_sent_on_unless_they_are_allowed() {
    let sent = sent_on(20_000, messages::raw());
    if !sent.is_empty() {
        all_read_alike(&sent);
    }
}

/// What the fuzz target `jsonrpc` starts from, one file each.
#[test]
fn the_seeds_of_fuzzing_keep_their_promises_and_some_pass() {
    let table = subject::table();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/jsonrpc");
    let mut passed = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        passed += usize::from(judge::input(&seed, &table).is_some());
        // Every prefix and every single bit: what a fuzzer does first.
        for at in 0..seed.len() {
            judge::input(&seed[..at], &table);
            for bit in 0..8 {
                let mut changed = seed.clone();
                changed[at] ^= 1 << bit;
                judge::input(&changed, &table);
            }
        }
    }
    assert!(passed >= 6, "only {passed} seeds pass");
}

/// An oracle that allows everything would prove nothing.
#[test]
fn the_oracle_itself_refuses_what_two_readers_read_differently() {
    let call = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}}}"#)
    };
    let verdict = |body: &str| model::allowed(body.as_bytes(), &heads::legacy(), rules::may);
    let good = call(r#""name":"search_x""#);
    assert_eq!(verdict(&good).unwrap().names, ["search_x"]);
    for bad in [
        call(r#""name":"delete_x""#),
        call(r#""name":"search_x","name":"delete_x""#),
        call(r#""name":"search_x","n\u0061me":"delete_x""#),
        call(r#""name":"search_x","Name":"delete_x""#),
        call(r#""name":"search_x","arguments":{"a":1,"a":2}"#),
        good.replace("\"id\":1,", ""),
        good.replace("\"id\":1", "\"id\":null"),
        good.replace("2.0", "1.0"),
        good.replace("{\"jsonrpc\"", "{\"Method\":1,\"jsonrpc\""),
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("\u{feff}{good}"),
    ] {
        assert_eq!(verdict(&bad), None, "{bad}");
    }
}
