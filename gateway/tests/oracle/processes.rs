//! Real readers in other languages: one process for many messages. A program that is missing is a failure.

use std::io::Write;
use std::process::{Command, Stdio};

use super::readers::Reading;

/// The program and its script.
pub(crate) const PROGRAMS: [(&str, &str); 2] = [("node", "reader.mjs"), ("python3", "reader.py")];

/// What the program reads of each message, in order.
pub(crate) fn readings((program, script): (&str, &str), messages: &[Vec<u8>]) -> Vec<Reading> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle");
    let mut child = Command::new(program)
        .arg(format!("{folder}/{script}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed to read what was sent on: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    for message in messages {
        let length = u32::try_from(message.len()).unwrap();
        stdin.write_all(&length.to_le_bytes()).unwrap();
        stdin.write_all(message).unwrap();
    }
    // The end of the input is what the script waits for.
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} read no JSON");
    let text = String::from_utf8(output.stdout).unwrap();
    let readings: Vec<Reading> = text.trim_end().split('\n').map(reading).collect();
    assert_eq!(readings.len(), messages.len(), "{program}");
    readings
}

fn reading(line: &str) -> Reading {
    let parts: [Option<String>; 7] = serde_json::from_str(line).unwrap();
    let [method, name, uri, task, kind, reference, template] = parts;
    Reading {
        method,
        name,
        uri,
        task,
        reference: [kind, reference, template],
    }
}
