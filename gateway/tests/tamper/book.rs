//! A writer of ledgers that shares nothing with the gateway's but the format, and hands that can change what it wrote.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright::audit::verify::{Evidence, FaultKind, Report, VerifyingKey, verify};
use gatewright::model::{Digest, UnixTime};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "gatewright/test";

/// A key made of one number.
pub(crate) struct Key {
    name: String,
    pair: Ed25519KeyPair,
}

impl Key {
    pub(crate) fn new(number: u8) -> Self {
        Self::named(ORIGIN, number)
    }

    pub(crate) fn named(name: &str, number: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        let name = name.to_owned();
        Self { name, pair }
    }

    fn id(&self) -> [u8; 4] {
        let public = self.pair.public_key().as_ref();
        let hash = Digest::of_parts(&[self.name.as_bytes(), b"\n\x01", public]);
        hash.as_bytes()[..4].try_into().unwrap()
    }

    pub(crate) fn shown(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id()))
    }

    pub(crate) fn public(&self) -> String {
        let key = [&[1], self.pair.public_key().as_ref()].concat();
        format!("{}+{}+{}", self.name, self.shown(), STANDARD.encode(key))
    }

    fn signature(&self, text: &str) -> String {
        let bytes = [&self.id(), self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A note about a chain, with these further lines, under these keys.
pub(crate) fn note(head: (u64, Digest), more: &str, keys: &[&Key]) -> String {
    let hash = STANDARD.encode(head.1.as_bytes());
    let time = time(head.0);
    let text = format!("{}\n{}\n{hash}\ntime {time}\n{more}", keys[0].name, head.0);
    let signatures: String = keys.iter().map(|key| key.signature(&text)).collect();
    format!("{text}\n{signatures}")
}

/// Each record is ten seconds after the one before.
pub(crate) fn time(seq: u64) -> UnixTime {
    UnixTime::from_seconds(1_700_000_000 + 10 * seq)
}

/// One line of a ledger as it is written.
pub(crate) fn line(prev: Digest, mut record: Value) -> String {
    record["schema"] = json!("gatewright.audit/1");
    // All characters outside ASCII in these tests have four digits.
    let escaped = |one: char| match one {
        ' '..='~' => one.to_string(),
        _ => format!("\\u{:04x}", u32::from(one)),
    };
    let body: String = record.to_string().chars().map(escaped).collect();
    let body = body.strip_suffix('}').unwrap();
    let covered = format!("{body},\"integrity\":{{\"prev\":\"{prev}\"");
    let hash = Digest::of(covered.as_bytes());
    format!("{covered},\"hash\":\"{hash}\"}}}}")
}

pub(crate) fn hash(line: &str) -> Digest {
    let read: Value = serde_json::from_str(line).unwrap();
    Digest::from_hex(read["integrity"]["hash"].as_str().unwrap()).unwrap()
}

pub(crate) const ZEROS: Digest = Digest::from_bytes([0; 32]);

/// A ledger in a folder of its own: its segments line by line, its keys, and the second place.
pub(crate) struct Book {
    folder: TempDir,
    /// Each with the number in its name.
    pub(crate) segments: Vec<(u64, Vec<String>)>,
    pub(crate) keys: String,
    pub(crate) notes: Option<String>,
    pub(crate) kept: Vec<String>,
    pub(crate) head: (u64, Digest),
}

impl Book {
    pub(crate) fn new(key: &Key) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            segments: Vec::new(),
            keys: key.public(),
            notes: Some(String::new()),
            kept: Vec::new(),
            head: (0, ZEROS),
        }
    }

    /// Three segments of eight records each: the first tells what it is, the fifth and the last are checkpoints.
    pub(crate) fn usual(key: &Key) -> Self {
        let mut book = Self::new(key);
        for _ in 0..3 {
            book.segment();
            book.records(3);
            book.checkpoint("", &[key]);
            book.records(2);
            book.checkpoint("", &[key]);
        }
        book
    }

    pub(crate) fn segment(&mut self) {
        let first = self.head.0 + 1;
        self.segments.push((first, Vec::new()));
        self.write(json!({ "kind": "lifecycle", "action": "ledger/segment", "segment": { "first": first, "boot": "b" } }));
    }

    pub(crate) fn records(&mut self, count: usize) {
        for _ in 0..count {
            self.write(json!({ "kind": "decision", "sub": "alice", "decision": "allow" }));
        }
    }

    /// A checkpoint of everything so far, here and in the second place.
    pub(crate) fn checkpoint(&mut self, more: &str, keys: &[&Key]) -> String {
        let note = note(self.head, more, keys);
        self.second(&note);
        self.write(json!({ "kind": "checkpoint", "checkpoint": { "note": note } }));
        note
    }

    pub(crate) fn second(&mut self, text: &str) {
        if let Some(notes) = &mut self.notes {
            notes.push_str(text);
            notes.push('\n');
        }
    }

    /// Says that the segment of `first` to `last` goes.
    pub(crate) fn tombstone(&mut self, (first, last): (u64, u64), head: Digest, key: &Key) {
        let note = note(self.head, &format!("deleted {first}-{last}\n"), &[key]);
        self.second(&note);
        let tombstone =
            json!({ "first": first, "last": last, "head": head.to_string(), "note": note });
        self.write(json!({ "kind": "checkpoint", "tombstone": tombstone }));
    }

    pub(crate) fn write(&mut self, mut record: Value) {
        let seq = self.head.0 + 1;
        record["seq"] = json!(seq);
        if record.get("timestamp").is_none() {
            record["timestamp"] = json!(time(seq).to_string());
        }
        let line = line(self.head.1, record);
        self.head = (seq, hash(&line));
        self.segments.last_mut().unwrap().1.push(line);
    }

    /// The line of record `seq`, as long as nobody moved it.
    pub(crate) fn at(&mut self, seq: u64) -> (&mut Vec<String>, usize) {
        let (_, lines) = self
            .segments
            .iter_mut()
            .rfind(|(first, _)| *first <= seq)
            .unwrap();
        for at in 0..lines.len() {
            let read: Value = serde_json::from_str(&lines[at]).unwrap();
            if read["seq"] == seq {
                return (lines, at);
            }
        }
        panic!("no record {seq}");
    }

    /// Changes a record and leaves the rest of its line as it is.
    pub(crate) fn replace(&mut self, seq: u64, from: &str, to: &str) {
        let (lines, at) = self.at(seq);
        assert!(lines[at].contains(from), "{}", lines[at]);
        lines[at] = lines[at].replacen(from, to, 1);
    }

    /// What somebody without the key can do to hide a change: numbers and hashes anew, all the way.
    pub(crate) fn rechain(&mut self) {
        let (mut seq, mut prev) = (0, ZEROS);
        for (first, lines) in &mut self.segments {
            *first = seq + 1;
            for text in lines {
                let mut record: Value = serde_json::from_str(text).unwrap();
                record.as_object_mut().unwrap().remove("integrity");
                seq += 1;
                record["seq"] = json!(seq);
                if record["segment"].is_object() {
                    record["segment"]["first"] = json!(seq);
                }
                *text = line(prev, record);
                prev = hash(text);
            }
        }
        self.head = (seq, prev);
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("audit")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Brings everything to the disk, the ledger with these bytes behind its last line.
    fn evidence(&self, end: &str) -> Evidence {
        let ledger = self.ledger();
        let _ = fs::remove_dir_all(&ledger);
        fs::create_dir(&ledger).unwrap();
        for (at, (first, lines)) in self.segments.iter().enumerate() {
            let text: String = lines
                .iter()
                .flat_map(|line| [line.as_str(), "\n"])
                .collect();
            let end = if at + 1 == self.segments.len() {
                end
            } else {
                ""
            };
            fs::write(segment(&ledger, *first), text + end).unwrap();
        }
        let missing = self.folder.path().join("missing");
        let second_place = self.notes.as_ref().map(|notes| self.file("notes", notes));
        let kept = self.kept.iter().enumerate();
        Evidence {
            directories: vec![ledger],
            keys: VerifyingKey::parse_all(&self.keys).unwrap(),
            second_place: Some(second_place.unwrap_or(missing)),
            kept: kept
                .map(|(at, text)| self.file(&format!("kept-{at}"), text))
                .collect(),
            since: None,
        }
    }

    pub(crate) fn verified(&self) -> Report {
        self.verified_with("", |evidence| evidence)
    }

    pub(crate) fn verified_with(
        &self,
        end: &str,
        change: impl FnOnce(Evidence) -> Evidence,
    ) -> Report {
        verify(change(self.evidence(end))).unwrap()
    }

    /// The faults as kind, line in its file and number of the record.
    pub(crate) fn faults(&self) -> Vec<(FaultKind, u64, Option<u64>)> {
        let report = self.verified();
        let faults = report.faults.iter();
        faults
            .map(|fault| (fault.kind, fault.line, fault.seq))
            .collect()
    }
}

pub(crate) fn segment(ledger: &Path, first: u64) -> PathBuf {
    ledger.join(format!("{first:020}.jsonl"))
}
