//! A ledger that a test writes itself, and the lines of any ledger.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatewright::model::Digest;

/// Writes a segment of `count` records into `ledger`, as a gateway that ran before would have.
pub(crate) fn write_segment(ledger: &Path, count: u64) {
    std::fs::create_dir_all(ledger).unwrap();
    let mut hash = Digest::from_bytes([0; 32]);
    let mut text = String::new();
    for seq in 1..=count {
        let open = format!(
            r#"{{"timestamp":"2026-11-22T08:00:00.000Z","schema":"gatewright.audit/1","event_id":"0193526b-7a00-7000-8000-{seq:012}","seq":{seq},"kind":"lifecycle","gateway":{{"instance":"earlier","version":"0.0.1"}},"integrity":{{"prev":"{hash}""#
        );
        hash = Digest::of(open.as_bytes());
        writeln!(text, "{open},\"hash\":\"{hash}\"}}}}").unwrap();
    }
    std::fs::write(ledger.join(format!("{:020}.jsonl", 1)), text).unwrap();
}

/// The whole lines of all segments in `ledger`, in order.
pub(crate) fn lines_in(ledger: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(ledger).unwrap();
    let mut segments: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let stem = path
                .file_stem()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            stem.len() == 20 && stem.bytes().all(|byte| byte.is_ascii_digit())
        })
        .collect();
    segments.sort();
    let texts = segments
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let mut lines = Vec::new();
    for text in texts {
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        lines.extend(whole.map(|line| line.trim_end().to_owned()));
    }
    lines
}
