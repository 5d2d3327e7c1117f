//! Reading on: over ends of segments, after a restart, after a crash of the machine.

use super::{Bounds, Line, Place, Tail};
use crate::audit::ship::support::{BOUNDS, Book};

fn tail(book: &Book, place: Option<Place>) -> Tail {
    Tail::new(vec![book.path().to_owned()], place)
}

fn seqs(lines: &[Line]) -> Vec<u64> {
    lines.iter().map(|line| line.place.seq).collect()
}

/// Everything up to `head`, with the size of each batch.
fn all(tail: &mut Tail, bounds: Bounds, head: u64) -> (Vec<Line>, Vec<usize>) {
    let (mut lines, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let batch = tail.read(bounds, head).unwrap();
        if batch.is_empty() {
            return (lines, sizes);
        }
        sizes.push(batch.len());
        lines.extend(batch);
    }
}

#[test]
fn an_empty_directory_has_no_lines_yet() {
    let mut book = Book::new();
    let mut tail = tail(&book, None);
    assert!(tail.read(BOUNDS, 9).unwrap().is_empty());
    book.write(2);
    assert_eq!(seqs(&tail.read(BOUNDS, 9).unwrap()), [1, 2]);
    assert!(tail.read(BOUNDS, 9).unwrap().is_empty());
}

#[test]
fn lines_come_as_they_stand_over_all_segments() {
    let mut book = Book::new();
    for _ in 0..3 {
        book.write(30);
        book.rotate();
    }
    let (lines, sizes) = all(&mut tail(&book, None), BOUNDS, 90);
    let texts: Vec<_> = lines
        .iter()
        .map(|line| String::from_utf8(line.bytes.to_vec()).unwrap())
        .collect();
    assert_eq!(texts, book.lines());
    assert_eq!(sizes, [25, 5, 25, 5, 25, 5]);
    assert_eq!(lines[6].event_id.as_deref(), Some("id-7"));
}

#[test]
fn a_batch_ends_at_its_bytes_and_a_larger_line_comes_alone() {
    let mut book = Book::new();
    book.write(3);
    let one = book.lines()[0].len() + 1;
    let bounds = |bytes| Bounds { lines: 100, bytes };
    assert_eq!(
        all(&mut tail(&book, None), bounds(2 * one + 5), 3).1,
        [2, 1]
    );
    assert_eq!(all(&mut tail(&book, None), bounds(10), 3).1, [1, 1, 1]);
}

#[test]
fn half_a_line_is_not_read_before_its_end_is_there() {
    let mut book = Book::new();
    book.write(1);
    let whole = book.next_line();
    let (first, second) = whole.split_at(100);
    let mut tail = tail(&book, None);
    book.put(first.as_bytes());
    assert_eq!(seqs(&tail.read(BOUNDS, 2).unwrap()), [1]);
    assert!(tail.read(BOUNDS, 2).unwrap().is_empty());
    book.put(second.as_bytes());
    assert_eq!(seqs(&tail.read(BOUNDS, 2).unwrap()), [2]);
}

#[test]
fn nothing_is_read_past_what_the_writer_said_is_written() {
    let mut book = Book::new();
    book.write(10);
    book.rotate();
    book.write(10);
    let mut tail = tail(&book, None);
    assert_eq!(all(&mut tail, BOUNDS, 7).0.len(), 7);
    assert_eq!(all(&mut tail, BOUNDS, 12).0.len(), 5);
    assert_eq!(all(&mut tail, BOUNDS, 20).0.len(), 8);
}

#[test]
fn a_reader_goes_on_behind_its_place() {
    let mut book = Book::new();
    book.write(10);
    book.rotate();
    book.write(10);
    let (lines, _) = all(&mut tail(&book, None), BOUNDS, 20);
    for line in &lines {
        let place = line.place.clone();
        let (rest, _) = all(&mut tail(&book, Some(place.clone())), BOUNDS, 20);
        assert_eq!(seqs(&rest), (place.seq + 1..=20).collect::<Vec<_>>());
    }
}

#[test]
fn a_place_whose_segment_was_deleted_goes_on_with_the_next() {
    let mut book = Book::new();
    book.write(10);
    book.rotate();
    book.write(10);
    let (lines, _) = all(&mut tail(&book, None), BOUNDS, 20);
    std::fs::remove_file(book.path().join("00000000000000000001.jsonl")).ok();
    std::fs::remove_file(book.path().join("00000000000000000000.jsonl")).ok();
    for at in [4, 9] {
        let place = Some(lines[at].place.clone());
        let (rest, _) = all(&mut tail(&book, place), BOUNDS, 20);
        assert_eq!(seqs(&rest), (11..=20).collect::<Vec<_>>(), "{at}");
    }
}

#[test]
fn records_that_took_the_numbers_of_lost_ones_are_read() {
    let mut book = Book::new();
    book.write(10);
    let (lines, _) = all(&mut tail(&book, None), BOUNDS, 10);
    let place = lines[9].place.clone();

    // The machine lost the last three after they were shipped; others have their numbers now.
    let mut other = Book::new();
    other.write(7);
    other.rotate();
    other.next_line();
    let mut after = Place {
        hash: Some("another".into()),
        ..place.clone()
    };
    let (rest, _) = all(&mut tail(&other, Some(place)), BOUNDS, 20);
    assert_eq!(
        rest.len(),
        7,
        "the segment is shorter than the place: it comes again"
    );

    // The file is as long as it was, and says something else.
    after.seq = 8;
    after.offset = lines[7].place.offset;
    let (rest, _) = all(&mut tail(&book, Some(after)), BOUNDS, 10);
    assert_eq!(seqs(&rest), (1..=10).collect::<Vec<_>>());

    // Not even at the end of a line.
    let mut within = lines[7].place.clone();
    within.offset -= 40;
    let (rest, _) = all(&mut tail(&book, Some(within)), BOUNDS, 10);
    assert_eq!(seqs(&rest), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_line_that_cannot_be_read_is_shipped_under_the_number_it_should_have() {
    let mut book = Book::new();
    book.write(2);
    book.next_line();
    book.put(b"somebody was here\n");
    book.write(1);
    let (lines, _) = all(&mut tail(&book, None), BOUNDS, 4);
    assert_eq!(seqs(&lines), [1, 2, 3, 4]);
    assert_eq!(lines[2].bytes, "somebody was here");
    assert_eq!(lines[2].event_id, None);
}

#[test]
fn segments_that_go_missing_are_waited_for() {
    let mut book = Book::new();
    for _ in 0..3 {
        book.write(5);
        book.rotate();
    }
    let (home, away) = ("00000000000000000006.jsonl", "elsewhere");
    std::fs::rename(book.path().join(home), book.path().join(away)).unwrap();
    let mut tail = tail(&book, None);
    assert_eq!(seqs(&tail.read(BOUNDS, 15).unwrap()), [1, 2, 3, 4, 5]);
    assert!(tail.read(BOUNDS, 15).is_err());
    std::fs::rename(book.path().join(away), book.path().join(home)).unwrap();
    assert_eq!(
        seqs(&all(&mut tail, BOUNDS, 15).0),
        (6..=15).collect::<Vec<_>>()
    );
}

#[test]
fn what_did_not_get_to_the_end_of_a_segment_is_read_from_the_next() {
    let mut book = Book::new();
    book.write(5);
    book.put(b"{\"seq\":6,\"event_id\":\"lost\"}\n{\"seq\":7,");
    book.rotate();
    book.write(5);
    let (lines, _) = all(&mut tail(&book, None), BOUNDS, 10);
    assert_eq!(seqs(&lines), (1..=10).collect::<Vec<_>>());
    assert_eq!(lines[5].event_id.as_deref(), Some("id-6"));
}

#[test]
fn a_place_to_spill_to_that_was_never_used_may_be_missing() {
    let mut book = Book::new();
    book.write(5);
    let spill = book.path().join("spill");
    let mut tail = Tail::new(vec![book.path().to_owned(), spill], None);
    assert_eq!(all(&mut tail, BOUNDS, 5).0.len(), 5);
}

#[test]
fn a_ledger_that_goes_on_elsewhere_is_one_ledger() {
    let mut book = Book::new();
    book.write(5);
    book.rotate();
    book.write(5);
    let spill = tempfile::tempdir().unwrap();
    let moved = spill.path().join("00000000000000000006.jsonl");
    let from = book.path().join("00000000000000000006.jsonl");
    std::fs::rename(from, moved).unwrap();
    let mut tail = Tail::new(vec![book.path().to_owned(), spill.path().to_owned()], None);
    assert_eq!(all(&mut tail, BOUNDS, 10).0.len(), 10);
}
