//! Ledgers that ended badly, byte by byte.

use std::path::{Path, PathBuf};

use super::{End, recover, tail};
use crate::audit::chain;
use crate::audit::line::Line;
use crate::audit::sealing::Head;
use crate::audit::segments::Segments;

#[derive(serde::Serialize)]
struct Record {
    sub: &'static str,
    seq: u64,
    kind: &'static str,
}

/// `count` records behind `head`.
fn chained(head: &mut Head, count: usize, kind: &'static str) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..count {
        let sub = "alice";
        let line = Line::of(&Record { sub, seq: 0, kind }).unwrap();
        chain::link(head, line.open(), &mut out);
    }
    out
}

fn written(directory: &Path, first: u64, bytes: &[u8]) -> PathBuf {
    let path = Segments::path(directory, first);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn recovered(directory: &Path) -> End {
    recover(&[directory]).unwrap()
}

fn aside(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(directory.join("aside")) else {
        return Vec::new();
    };
    entries
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn a_ledger_without_records_begins() {
    let directory = tempfile::tempdir().unwrap();
    let end = recovered(directory.path());
    assert_eq!((end.head, end.recovered), (Head::START, None));
}

#[test]
fn a09_a_ledger_that_is_cut_anywhere_goes_on_behind_its_last_whole_record() {
    let mut head = Head::START;
    let two = chained(&mut head, 2, "decision");
    let second = head;
    let third = chained(&mut head, 1, "decision");
    for cut in 0..third.len() {
        let directory = tempfile::tempdir().unwrap();
        let bytes = [two.as_slice(), &third[..cut]].concat();
        let path = written(directory.path(), 1, &bytes);
        let end = recovered(directory.path());
        assert_eq!(end.head, second, "cut at {cut}");
        let said = end.recovered.unwrap();
        assert_eq!(said.head, second.hash);
        assert_eq!(said.bytes, cut as u64);
        assert_eq!(said.file.is_some(), cut > 0);
        assert_eq!(std::fs::read(&path).unwrap(), two);
        let kept: Vec<Vec<u8>> = if cut == 0 {
            vec![]
        } else {
            vec![third[..cut].to_vec()]
        };
        assert_eq!(aside(directory.path()), kept);
    }
}

#[test]
fn a09_zeros_and_lines_of_garbage_behind_the_last_record_are_set_aside() {
    let mut head = Head::START;
    let records = chained(&mut head, 3, "decision");
    for torn in [vec![0; 4096], b"{\"seq\":4}\n{}\n".to_vec()] {
        let directory = tempfile::tempdir().unwrap();
        written(directory.path(), 1, &[records.as_slice(), &torn].concat());
        assert_eq!(recovered(directory.path()).head, head);
        assert_eq!(aside(directory.path()), [torn]);
    }
}

#[test]
fn a09_a_segment_without_a_whole_record_is_set_aside_and_an_empty_one_goes() {
    let mut head = Head::START;
    let records = chained(&mut head, 3, "decision");
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), 1, &records);
    written(directory.path(), 4, b"{\"times");
    written(directory.path(), 5, b"");
    let end = recovered(directory.path());
    assert_eq!(end.head, head);
    assert_eq!(end.recovered.unwrap().bytes, 7);
    assert_eq!(aside(directory.path()), [b"{\"times".to_vec()]);
    assert_eq!(Segments::list(directory.path()).unwrap().len(), 1);
}

#[test]
fn a_ledger_that_ended_with_a_checkpoint_needs_no_word() {
    let mut head = Head::START;
    let mut records = chained(&mut head, 3, "decision");
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), 1, &records);
    assert!(recovered(directory.path()).recovered.is_some());
    records.extend(chained(&mut head, 1, "checkpoint"));
    written(directory.path(), 1, &records);
    let end = recovered(directory.path());
    assert_eq!((end.head, end.recovered), (head, None));
}

#[test]
fn a_record_longer_than_the_first_look_is_found() {
    let mut head = Head::START;
    let records = chained(&mut head, 2, "decision");
    let directory = tempfile::tempdir().unwrap();
    let bytes = [records.as_slice(), &vec![b'x'; 2 << 20]].concat();
    let path = written(directory.path(), 1, &bytes);
    assert_eq!(tail(&path).unwrap().unwrap().head, head);
}

#[test]
fn records_that_were_written_again_elsewhere_are_set_aside_where_they_failed() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut head = Head::START;
    let two = chained(&mut head, 2, "decision");
    let mut failed = head;
    let again = chained(&mut failed, 1, "outcome");
    let path = written(home.path(), 1, &[two.as_slice(), &again].concat());
    let spilled = chained(&mut head, 3, "decision");
    written(elsewhere.path(), 3, &spilled);
    let end = recover(&[home.path(), elsewhere.path()]).unwrap();
    assert_eq!(end.head, head);
    assert_eq!(std::fs::read(&path).unwrap(), two);
    assert_eq!(aside(home.path()), [again]);
}
