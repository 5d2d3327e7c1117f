//! A denied tool never passes an event stream, however the stream is cut.

use proptest::prelude::{any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};

use super::SseFilter;
use crate::mcp::call::RequestId;
use crate::mcp::listing::{Item, ListFault, Listing};
use crate::mcp::version::Era;

const ANSWER: &str = "id: 1\ndata:\n\n: hello secret_tool\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":{\"tools\":[{\"name\":\"open_tool\",\"description\":\"é\u{2028}\"},\ndata: {\"name\":\"secret_tool\"}]}}\n\n";

fn filter(era: Era) -> SseFilter {
    SseFilter::for_list(
        Listing::Tools,
        era,
        RequestId::from_token("1").unwrap(),
        4096,
    )
}

fn is_open(_: Listing, item: Item<'_>) -> bool {
    item.name == "open_tool"
}

fn run(mut filter: SseFilter, pieces: &[&[u8]]) -> (Result<(), ListFault>, String) {
    let mut out = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = filter.push(piece, &mut is_open, &mut out);
    }
    let result = result.and_then(|()| filter.finish(&mut is_open, &mut out));
    assert_eq!(
        result.is_ok() && out.windows(8).any(|bytes| bytes == b"\"result\""),
        filter.is_answered()
    );
    (result, String::from_utf8(out).unwrap())
}

#[test]
fn a_denied_tool_never_passes_wherever_the_stream_is_cut() {
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
fn an_answer_that_ends_without_a_blank_line_is_filtered() {
    let (result, out) = run(filter(Era::Modern), &[ANSWER.trim_end().as_bytes()]);
    assert_eq!(result, Ok(()));
    assert!(out.contains("open_tool") && out.contains("private") && !out.contains("secret_tool"));
}

#[test]
fn nothing_passes_after_a_fault() {
    let good = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    let bad = "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"secret_tool\"}]}}\n\n";
    let mut filter = filter(Era::Modern);
    let mut out = Vec::new();
    let both = format!("{good}{bad}{good}");
    assert_eq!(
        filter.push(both.as_bytes(), &mut is_open, &mut out),
        Err(ListFault::WrongId)
    );
    assert_eq!(
        filter.push(good.as_bytes(), &mut is_open, &mut out),
        Err(ListFault::WrongId)
    );
    assert_eq!(
        filter.finish(&mut is_open, &mut out),
        Err(ListFault::WrongId)
    );
    assert_eq!(str::from_utf8(&out).unwrap(), good);
}

#[test]
fn data_that_is_no_message_is_not_passed() {
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
fn an_event_above_the_cap_ends_the_stream() {
    let id = RequestId::from_token("1").unwrap();
    let small = SseFilter::for_list(Listing::Tools, Era::Legacy, id, 64);
    let (result, out) = run(small, &[ANSWER.as_bytes()]);
    assert!(matches!(result, Err(ListFault::Stream { .. })));
    assert!(!out.contains("secret_tool"));
}

#[test]
fn a_resumed_stream_filters_any_list_and_passes_other_answers() {
    let call = "data: {\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[]}}\n\n";
    let (result, out) = run(
        SseFilter::for_stream(Era::Legacy, 4096),
        &[call.as_bytes(), ANSWER.as_bytes()],
    );
    assert_eq!(result, Ok(()));
    assert!(out.starts_with(call) && out.contains("open_tool") && !out.contains("secret_tool"));
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_denied_tool_never_passes_however_the_stream_is_cut_and_broken(
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
}
