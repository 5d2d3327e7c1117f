//! Numbers records and ties each to the one before it. Never leaves a number out, never gives one twice.

use std::io;

use super::line::Open;
use super::sealing::Head;
use super::text::hex_digits;
use crate::model::Digest;

/// Appends `line` to `out` as the record behind `head`, and moves `head` to it. `hash` is SHA-256 over all bytes of the
/// line before `,"hash":"`.
pub(super) fn link(head: &mut Head, line: Open<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let seq = head.seq.saturating_add(1);
    out.extend_from_slice(line.before);
    // Writing to memory cannot fail.
    let _ = io::Write::write_fmt(out, format_args!("{seq}"));
    out.extend_from_slice(line.after);
    out.extend_from_slice(br#","integrity":{"prev":""#);
    out.extend_from_slice(hex_digits(&head.hash).as_flattened());
    out.push(b'"');
    let hash = Digest::of(out.get(start..).unwrap_or_default());
    out.extend_from_slice(HASH);
    out.extend_from_slice(hex_digits(&hash).as_flattened());
    out.extend_from_slice(b"\"}}\n");
    *head = Head { seq, hash };
}

/// The hash that a whole `line` says of itself, if it is the true one.
pub(super) fn hash_of(line: &[u8]) -> Option<Digest> {
    let at = memchr::memmem::rfind(line, HASH)?;
    let (covered, rest) = line.split_at_checked(at)?;
    let hex = rest.strip_prefix(HASH)?.strip_suffix(b"\"}}")?;
    let said = Digest::from_hex(str::from_utf8(hex).ok()?)?;
    (said == Digest::of(covered)).then_some(said)
}

const HASH: &[u8] = br#","hash":""#;

#[cfg(test)]
mod tests {
    use super::{hash_of, link};
    use crate::audit::line::Line;
    use crate::audit::sealing::Head;

    #[derive(serde::Serialize)]
    struct Record {
        sub: &'static str,
        seq: u64,
        kind: &'static str,
    }

    fn record(sub: &'static str) -> Line {
        let kind = "decision";
        Line::of(&Record { sub, seq: 0, kind }).unwrap()
    }

    #[test]
    fn each_record_has_the_hash_of_the_one_before_it() {
        let (mut head, mut out) = (Head::START, Vec::new());
        for sub in ["alice", "\",\"seq\":0", "carol"] {
            link(&mut head, record(sub).open(), &mut out);
        }
        let text = String::from_utf8(out).unwrap();
        let mut prev = "0".repeat(64);
        for (line, seq) in text.lines().zip(1..) {
            let read: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(read["seq"], seq);
            assert_eq!(read["integrity"]["prev"], *prev);
            prev = read["integrity"]["hash"].as_str().unwrap().to_owned();
            assert_eq!(hash_of(line.as_bytes()).unwrap().to_string(), prev);
        }
        assert_eq!((head.seq, head.hash.to_string()), (3, prev));
    }

    #[test]
    fn a_changed_line_has_no_true_hash() {
        let (mut head, mut out) = (Head::START, Vec::new());
        link(&mut head, record("alice").open(), &mut out);
        let line = out.trim_ascii_end();
        assert!(hash_of(line).is_some());
        for at in 0..line.len() {
            let mut changed = line.to_vec();
            changed[at] ^= 1;
            assert_eq!(hash_of(&changed), None, "byte {at}");
        }
    }
}
