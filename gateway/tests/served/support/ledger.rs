//! Reads ledgers as anybody could: with the format alone, and nothing of the program that wrote them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every whole record of the segments in `folders`, in order. Panics when one is not tied to the one before it. Does
/// not wait for anything.
pub(crate) fn ledger_in(folders: &[&Path]) -> Vec<Value> {
    let mut segments: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    segments.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    let texts = segments
        .iter()
        .map(|segment| std::fs::read_to_string(segment).unwrap());
    let mut chain = Chain::default();
    texts
        .flat_map(|text| {
            let whole = text.split_inclusive('\n').map(ToOwned::to_owned);
            let whole = whole.filter(|line| line.ends_with('\n'));
            whole.collect::<Vec<_>>()
        })
        .map(|line| chain.next(line.trim_end()))
        .collect()
}

/// The records of `folder` that are not the ledger's own.
pub(crate) fn records_in(folder: &Path) -> Vec<Value> {
    let mut records = ledger_in(&[folder]);
    records.retain(|record| !is_own(record));
    records
}

fn is_own(record: &Value) -> bool {
    let action = record["action"].as_str();
    action.is_some_and(|action| action.starts_with("ledger/"))
}

struct Chain {
    seq: u64,
    hash: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(64),
        }
    }
}

impl Chain {
    fn next(&mut self, line: &str) -> Value {
        let record: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let (covered, _) = line.rsplit_once(r#","hash":""#).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, covered.as_bytes());
        let mut hash = String::new();
        for byte in digest.as_ref() {
            write!(hash, "{byte:02x}").unwrap();
        }
        assert_eq!(record["seq"], self.seq + 1, "no gap, no repeat: {line}");
        assert_eq!(record["integrity"]["prev"], *self.hash, "{line}");
        assert_eq!(record["integrity"]["hash"], *hash, "{line}");
        (self.seq, self.hash) = (self.seq + 1, hash);
        record
    }
}
