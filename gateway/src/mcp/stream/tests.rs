//! A denied tool never passes an event stream, however the stream is cut.

use proptest::prelude::{any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};

use std::time::{Duration, Instant};

use super::SseFilter;
use crate::mcp::fuzzing::{Open, exchange};
use crate::mcp::judge::Purpose;
use crate::mcp::listing::{ListFault, Listing};
use crate::mcp::version::Era;

const ANSWER: &str = "id: 1\ndata:\n\n: hello secret_tool\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":{\"tools\":[{\"name\":\"open_tool\",\"description\":\"é\u{2028}\"},\ndata: {\"name\":\"secret_tool\"}]}}\n\n";

fn filter(era: Era) -> SseFilter {
    SseFilter::new(exchange(era, Some(Listing::Tools)).unwrap(), 4096)
}

fn call(era: Era) -> SseFilter {
    SseFilter::new(exchange(era, None).unwrap(), 4096)
}

fn session() -> SseFilter {
    let mut exchange = exchange(Era::Legacy, None).unwrap();
    exchange.purpose = Purpose::Session;
    SseFilter::new(exchange, 4096)
}

fn run(mut filter: SseFilter, pieces: &[&[u8]]) -> (Result<(), ListFault>, String) {
    let (mut out, now, mut open) = (Vec::new(), Instant::now(), Open::default());
    let mut result = Ok(());
    for piece in pieces {
        result = filter.push(piece, now, &mut open, &mut out);
    }
    let result = result.and_then(|()| filter.finish(now, &mut open, &mut out));
    (result, String::from_utf8(out).unwrap())
}

#[test]
fn u02_a_denied_tool_never_passes_wherever_the_stream_is_cut() {
    let expected = "id: 1\ndata: \n\n:\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"open_tool\",\"description\":\"\\u00e9\\u2028\"}]}}\n\n";
    for line_end in ["\n", "\r", "\r\n"] {
        let stream = ANSWER.replace('\n', line_end).into_bytes();
        for at in 0..=stream.len() {
            let (before, after) = stream.split_at(at);
            let (result, out) = run(filter(Era::Legacy), &[before, after]);
            assert_eq!(result, Ok(()));
            assert_eq!(out, expected, "{line_end:?} cut at {at}");
        }
    }
}

#[test]
fn u06_an_answer_that_ends_without_a_blank_line_is_filtered() {
    let (result, out) = run(filter(Era::Modern), &[ANSWER.trim_end().as_bytes()]);
    assert_eq!(result, Ok(()));
    assert!(out.contains("open_tool") && out.contains("private") && !out.contains("secret_tool"));
}

#[test]
fn u08_nothing_passes_after_a_fault() {
    let good = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    let bad = "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"secret_tool\"}]}}\n\n";
    let (mut filter, mut open) = (filter(Era::Modern), Open::default());
    let (mut out, now) = (Vec::new(), Instant::now());
    let both = format!("{good}{bad}{good}");
    let fault = Err(ListFault::WrongId);
    assert_eq!(
        filter.push(both.as_bytes(), now, &mut open, &mut out),
        fault
    );
    assert_eq!(
        filter.push(good.as_bytes(), now, &mut open, &mut out),
        fault
    );
    assert_eq!(filter.finish(now, &mut open, &mut out), fault);
    assert_eq!(str::from_utf8(&out).unwrap(), good);
}

#[test]
fn u04_data_that_is_no_message_is_not_passed() {
    for stream in [
        "data: endpoint\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"secret_tool\"}]}}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: x\ndata: \"result\":{\"tools\":[]}}\n\n",
        "data: [{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}]\n\n",
    ] {
        let (result, out) = run(filter(Era::Legacy), &[stream.as_bytes()]);
        assert!(result.is_err(), "{stream}");
        assert_eq!(out, "");
    }
}

#[test]
fn limit_event_at_and_past_the_bound() {
    let event = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
    for (cap, passes) in [
        (event.len() + 1, true),
        (event.len(), true),
        (event.len() - 1, false),
    ] {
        let filter = SseFilter::new(exchange(Era::Modern, None).unwrap(), cap);
        let (result, out) = run(filter, &[event.as_bytes()]);
        assert_eq!((result.is_ok(), out == event), (passes, passes), "{cap}");
    }
}

#[test]
fn u08_a_resumed_stream_filters_any_list_and_passes_other_answers_as_they_came() {
    let other = "data:{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}\r\n\r\n";
    let (result, out) = run(
        session(),
        &[other.as_bytes(), ANSWER.as_bytes(), other.as_bytes()],
    );
    assert_eq!(result, Ok(()));
    assert!(out.starts_with(other) && out.ends_with(other));
    assert!(out.contains("open_tool") && !out.contains("\"secret_tool\""));
}

#[test]
fn u08_what_answers_another_request_vanishes_and_its_id_stays() {
    let foreign =
        "id: 4\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"x\":1}}\n\n";
    let nameless = "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"x\":1}}\n\n";
    let answer = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
    let stream = format!("{foreign}{nameless}{answer}{answer}");
    for era in [Era::Legacy, Era::Modern] {
        let (result, out) = run(call(era), &[stream.as_bytes()]);
        assert_eq!((result, out), (Ok(()), format!("id: 4\n\n{answer}")));
    }
}

#[test]
fn u05_an_event_that_clients_would_split_is_written_anew() {
    for odd in ["\u{2028}", "\u{2029}", "\u{85}"] {
        let stream = format!(
            "id: 1\ndata: {{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"x\":\"a{odd}data: b\"}}}}\n\n"
        );
        let (result, out) = run(call(Era::Modern), &[stream.as_bytes()]);
        assert_eq!(result, Ok(()));
        assert!(out.is_ascii() && out.contains("\\u"), "{out}");
    }
    for odd in ["\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}"] {
        let stream = format!("data: {{\"jsonrpc\":\"2.0\",{odd}\"id\":1,\"result\":{{}}}}\n\n");
        let (result, out) = run(call(Era::Modern), &[stream.as_bytes()]);
        assert!(result.is_err() && out.is_empty(), "{odd:?}");
    }
}

#[test]
fn s08_changes_of_lists_pass_once_in_a_second_and_the_last_before_the_answer() {
    let notice = |n: usize| {
        format!(
            "id: {n}\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{{\"_meta\":{{\"n\":{n}}}}}}}\n\n"
        )
    };
    let (mut filter, mut open) = (session(), Open::default());
    let (mut out, start) = (Vec::new(), Instant::now());
    for n in 0..1000 {
        filter
            .push(notice(n).as_bytes(), start, &mut open, &mut out)
            .unwrap();
    }
    let text = String::from_utf8(std::mem::take(&mut out)).unwrap();
    assert_eq!(text.matches("list_changed").count(), 1);
    assert!(
        text.ends_with("id: 999\n\n"),
        "the id to resume after is not lost"
    );
    let other = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n";
    filter
        .push(
            other.as_bytes(),
            start + Duration::from_secs(1),
            &mut open,
            &mut out,
        )
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("\"n\":999") && text.ends_with(other),
        "{text}"
    );
    assert_eq!(text.matches("list_changed").count(), 1);
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn u02_a_denied_tool_never_passes_however_the_stream_is_cut_and_broken(
        ends in collection::vec(0..3usize, 32),
        size in 1..40usize,
        at in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut ends = ends.into_iter().cycle();
        let mut stream = String::new();
        for line in ANSWER.lines() {
            // An LF right behind a CR would belong to the same line end.
            let end = if line.is_empty() && stream.ends_with('\r') { 1 } else { ends.next().unwrap() };
            stream.push_str(line);
            stream.push_str(["\n", "\r", "\r\n"][end]);
        }
        let whole = stream.into_bytes();
        let pieces: Vec<_> = whole.chunks(size).collect();
        let (result, out) = run(filter(Era::Legacy), &pieces);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(out.contains("open_tool") && !out.contains("secret_tool"));

        let mut broken = whole.clone();
        let at = at % broken.len();
        broken[at] = byte;
        let pieces: Vec<_> = broken.chunks(size).collect();
        let (_, out) = run(filter(Era::Legacy), &pieces);
        prop_assert!(!out.contains("\"secret_tool\""));
    }

    #[test]
    fn u02_what_is_not_filtered_passes_byte_for_byte_however_it_is_cut(
        crlf in any::<bool>(),
        size in 1..40usize,
    ) {
        let stream = "id: 1\ndata:\n\n: hello\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":{\"x\":\"é\"}}\n\n";
        let stream = if crlf { stream.replace('\n', "\r\n") } else { stream.to_owned() };
        let pieces: Vec<_> = stream.as_bytes().chunks(size).collect();
        let (result, out) = run(call(Era::Modern), &pieces);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(out, stream);
    }
}
