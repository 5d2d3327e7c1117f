//! The grammar of event streams, byte by byte.

use super::{SseFault, SseItem, SseReader, write_event};

fn read(pieces: &[&[u8]]) -> Result<Vec<SseItem>, SseFault> {
    let mut reader = SseReader::new(1024);
    let mut blocks = Vec::new();
    for piece in pieces {
        reader.push(piece, &mut blocks)?;
    }
    reader.finish(&mut blocks)?;
    let items = blocks.into_iter().map(|block| block.item);
    Ok(items.filter(|item| *item != SseItem::Blank).collect())
}

/// The bytes that would pass: raw where it may, and else in the one form.
fn passed(pieces: &[&[u8]]) -> Vec<u8> {
    let mut reader = SseReader::new(1024);
    let mut blocks = Vec::new();
    for piece in pieces {
        reader.push(piece, &mut blocks).unwrap();
    }
    reader.finish(&mut blocks).unwrap();
    let mut out = Vec::new();
    for block in blocks {
        match block.raw {
            Some(raw) => out.extend_from_slice(&raw),
            None => write_event(&block.item, &mut out),
        }
    }
    out
}

#[test]
fn u03_what_every_reader_reads_alike_passes_byte_for_byte_wherever_it_is_cut() {
    for stream in [
        "data: a\ndata:b\n\n: x\n\ndata: c\n\n",
        "data: a\r\ndata:b\r\n\r\n: x\r\n\r\ndata: c\r\n\r\n",
        ": one\n: two\n\n\n\nid: 1\ndata:\n\nevent: message\nretry: 5\n: in it\ndata: \u{e9}\u{1f600}\n\n",
        "data\n\nid\ndata: x\n\n",
    ] {
        let bytes = stream.as_bytes();
        assert_eq!(passed(&[bytes]), bytes, "{stream:?}");
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            assert_eq!(passed(&[before, after]), bytes, "{stream:?} at {at}");
        }
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(passed(&each), bytes, "{stream:?} byte by byte");
    }
}

#[test]
fn u03_what_readers_read_differently_does_not_pass_as_it_came() {
    for (stream, expected) in [
        ("data: a\rdata: b\r\r", "data: a\ndata: b\n\n"),
        ("data: a\r\rdata: b\n\n", "data: a\n\ndata: b\n\n"),
        ("\u{feff}data: a\n\n", "data: a\n\n"),
        ("data: a\nData: b\n\n", "data: a\n\n"),
        ("data: a\ndata : b\n\n", "data: a\n\n"),
        ("data: a\nfoo: b\n\n", "data: a\n\n"),
        ("data: a\nid: 1\nid: 2\n\n", "id: 2\ndata: a\n\n"),
        ("data: a\nretry: x\n\n", "data: a\n\n"),
        (": a\u{2028}data: b\ndata: c\n\n", ":\n\ndata: c\n\n"),
        ("data: a\n: b\u{85}data: c\n\n", "data: a\n\n"),
        ("data: a", "data: a\n\n"),
    ] {
        let bytes = stream.as_bytes();
        assert_eq!(passed(&[bytes]), expected.as_bytes(), "{stream:?}");
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(passed(&each), expected.as_bytes(), "{stream:?}");
    }
    for odd in [
        '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\0',
    ] {
        let mut reader = SseReader::new(1024);
        let mut blocks = Vec::new();
        let stream = format!("data: \"a{odd}b\"\n\n");
        reader.push(stream.as_bytes(), &mut blocks).unwrap();
        assert_eq!(blocks[0].raw, None, "{odd:?}");
    }
}

#[test]
fn u03_an_event_is_there_with_its_blank_line_and_not_later() {
    for stream in ["data: a\n\n", "data: a\r\n\r\n"] {
        let mut reader = SseReader::new(1024);
        let mut blocks = Vec::new();
        reader.push(stream.as_bytes(), &mut blocks).unwrap();
        assert_eq!(blocks.len(), 1, "{stream:?}");
        reader.push(b": keep-alive\n", &mut blocks).unwrap();
        assert_eq!(blocks.len(), 2, "a comment waits for nothing");
    }
}

fn data(text: &str) -> SseItem {
    SseItem::Event {
        event: None,
        id: None,
        data: Some(text.to_owned()),
        retry: None,
    }
}

#[test]
fn u02_every_line_end_ends_a_line_and_every_split_gives_the_same() {
    let expected = vec![data("a\nb"), SseItem::Comment, data("c")];
    for stream in [
        "data: a\ndata:b\n\n: x\n\ndata: c\n\n",
        "data: a\rdata:b\r\r: x\r\rdata: c\r\r",
        "data: a\r\ndata:b\r\n\r\n: x\r\n\r\ndata: c\r\n\r\n",
        "data: a\rdata:b\n\r\n:\r\rdata: c\n\n",
    ] {
        let bytes = stream.as_bytes();
        assert_eq!(read(&[bytes]).unwrap(), expected, "{stream:?}");
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            assert_eq!(
                read(&[before, after]).unwrap(),
                expected,
                "{stream:?} at {at}"
            );
        }
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(read(&each).unwrap(), expected, "{stream:?} byte by byte");
    }
}

#[test]
fn u03_a_byte_order_mark_counts_only_at_the_start() {
    assert_eq!(
        read(&[b"\xef", b"\xbb\xbfdata: a\n\n"]).unwrap(),
        vec![data("a")]
    );
    assert_eq!(read(&[b"\n\xef\xbb\xbfdata: a\n\n"]).unwrap(), vec![]);
}

#[test]
fn u03_fields_are_read_as_the_grammar_says() {
    let items = read(&[
        b"event: message\nid: 7\nretry: 100\nretry: x\nfoo: bar\ndata\ndata:  two\nid: a\0b\n\n",
    ])
    .unwrap();
    let expected = SseItem::Event {
        event: Some("message".to_owned()),
        id: Some("7".to_owned()),
        data: Some("\n two".to_owned()),
        retry: Some(100),
    };
    assert_eq!(items, vec![expected]);
    assert_eq!(read(&[b"data :x\nDATA: y\nevent: z\n\n"]).unwrap(), vec![]);
}

#[test]
fn u06_an_event_without_its_blank_line_is_an_event() {
    assert_eq!(read(&[b"data: a"]).unwrap(), vec![data("a")]);
    assert_eq!(read(&[b"data: a\r"]).unwrap(), vec![data("a")]);
    assert_eq!(read(&[b""]).unwrap(), vec![]);
}

#[test]
fn u17_an_event_above_the_cap_is_refused_and_one_at_the_cap_is_not() {
    let event = |length: usize| format!("data: {}\n\n", "x".repeat(length)).into_bytes();
    assert!(read(&[&event(1016)]).is_ok());
    assert_eq!(read(&[&event(1020)]), Err(SseFault::TooLarge { cap: 1024 }));
    assert_eq!(
        read(&["data: x\n".repeat(200).as_bytes()]),
        Err(SseFault::TooLarge { cap: 1024 })
    );
    assert!(read(&[": keep-alive\n".repeat(200).as_bytes()]).is_ok());
    assert!(read(&[event(500).repeat(10).as_slice()]).is_ok());
    let drip: Vec<u8> = event(1016);
    let each: Vec<_> = drip.chunks(1).collect();
    assert!(
        read(&each).is_ok(),
        "the size of the pieces should not matter"
    );
}

#[test]
fn u05_fields_that_clients_read_differently_are_refused() {
    for stream in [
        "id: a\u{2028}b\n\n",
        "event: a\u{85}b\n\n",
        "id: a\u{b}b\n\n",
    ] {
        assert_eq!(
            read(&[stream.as_bytes()]),
            Err(SseFault::FieldNotPrintable),
            "{stream:?}"
        );
    }
    assert_eq!(read(&[b"data: \xff\n\n"]), Err(SseFault::NotUtf8));
}

#[test]
fn events_are_written_in_one_form_that_reads_back() {
    let event = SseItem::Event {
        event: Some("message".to_owned()),
        id: Some("7".to_owned()),
        data: Some("{}".to_owned()),
        retry: Some(5),
    };
    let priming = SseItem::Event {
        event: None,
        id: Some("1".to_owned()),
        data: Some(String::new()),
        retry: None,
    };
    let only_id = SseItem::Event {
        event: None,
        id: Some("2".to_owned()),
        data: None,
        retry: None,
    };
    let items = vec![event, priming, only_id, SseItem::Comment];
    let mut out = Vec::new();
    for item in &items {
        write_event(item, &mut out);
    }
    let text = "event: message\nid: 7\nretry: 5\ndata: {}\n\nid: 1\ndata: \n\nid: 2\n\n:\n\n";
    assert_eq!(str::from_utf8(&out).unwrap(), text);
    assert_eq!(read(&[&out]).unwrap(), items);
}

#[test]
fn a_line_end_in_a_value_starts_no_other_field() {
    let mut out = Vec::new();
    write_event(&data("a\nid: 9\r\nb"), &mut out);
    assert_eq!(read(&[&out]).unwrap(), vec![data("a\nid: 9\n\nb")]);
}
