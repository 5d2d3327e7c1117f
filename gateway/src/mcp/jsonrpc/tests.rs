//! What the scanner takes and what it refuses, by the public corpus and by hand.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};
use serde_json::Value;

use super::{JsonFault, Limits, scan};
use crate::mcp::bounds::Bounds;
use crate::model::Reason;

fn usual() -> Limits {
    Bounds::default().of_text()
}

fn fault(text: impl AsRef<[u8]>) -> JsonFault {
    scan(text.as_ref(), usual()).expect_err("should have been refused")
}

fn is_read(text: impl AsRef<[u8]>) -> bool {
    scan(text.as_ref(), usual()).is_ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the corpora are not part of the repository"
)]
fn corpus(name: &str) -> PathBuf {
    let root = std::env::var_os("GATEWRIGHT_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora")),
        PathBuf::from,
    );
    let path = root.join(name);
    assert!(
        path.is_dir(),
        "no corpus at {}: set GATEWRIGHT_CORPORA to the directory of corpora",
        path.display()
    );
    path
}

#[test]
fn q14_the_public_corpus_is_judged_as_it_asks() {
    let mut judged = 0;
    for entry in fs::read_dir(corpus("JSONTestSuite/test_parsing")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let outcome = scan(&fs::read(&path).unwrap(), usual()).map(|_| ());
        match name.as_bytes()[0] {
            b'n' => assert!(outcome.is_err(), "{name} should be refused"),
            // RFC 8259 section 4 allows these two, and parsers disagree on what they mean.
            b'y' if name.starts_with("y_object_duplicated_key") => {
                assert!(
                    matches!(outcome, Err(JsonFault::DuplicateKey { .. })),
                    "{name}"
                );
            }
            b'y' => assert_eq!(outcome, Ok(()), "{name} should be read"),
            _ => continue,
        }
        judged += 1;
    }
    assert!(judged > 250, "only {judged} files");
}

#[test]
fn h38_bytes_that_are_no_utf_8_or_start_with_a_mark_are_refused() {
    assert_eq!(fault(b"\"\xff\""), JsonFault::NotUtf8 { offset: 1 });
    assert_eq!(
        fault(b"\xef\xbb\xbf{}"),
        JsonFault::Unexpected { offset: 0 }
    );
    assert!(is_read("\"é\""));
}

#[test]
fn q18_only_white_space_may_stand_around_the_value() {
    assert!(is_read(" \t\r\n{ \"a\" : [ ] } \n"));
    for text in [
        "{}{}", "{}\n{}", "{}]", "{}\0", "\u{a0}{}", "{}\u{c}", "", "  ",
    ] {
        assert!(
            matches!(fault(text), JsonFault::Unexpected { .. }),
            "{text:?}"
        );
    }
}

#[test]
fn q03_q04_duplicate_keys_are_refused_at_every_depth_and_after_unescaping() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"\u0061":1,"a":1}"#,
        r#"{"x":[[{"y":{"a":1,"b":2,"a":3}}]]}"#,
        r#"{"😀":1,"\ud83d\ude00":2}"#,
        r#"{"a":{"b":1},"c":2,"a":3}"#,
    ] {
        assert!(
            matches!(fault(text), JsonFault::DuplicateKey { .. }),
            "{text}"
        );
    }
    assert_eq!(fault(r#"{"a":1,"a":1}"#).reason(), Reason::JsonDuplicateKey);
    assert!(is_read(
        r#"{"a":{"a":1},"b":[{"a":1},{"a":1}],"A":1,"a\u0000":1}"#
    ));
}

#[test]
fn q03_a_duplicate_among_many_keys_is_refused() {
    let keys = |last: &str| {
        let many: Vec<_> = (0..5000).map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{},\"{last}\":0}}", many.join(","))
    };
    for seen in ["k0", "k15", "k16", "k4999", "k\\u0031\\u0036"] {
        assert!(
            matches!(fault(keys(seen)), JsonFault::DuplicateKey { .. }),
            "{seen}"
        );
    }
    assert!(is_read(keys("k5000")));
}

fn within(limits: Limits, text: &str) -> Result<(), JsonFault> {
    scan(text.as_bytes(), limits).map(|_| ())
}

#[test]
fn limit_json_depth_at_and_past_the_bound() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [2, 5, 64, 1000] {
        let limits = Limits { depth, ..usual() };
        assert_eq!(within(limits, &nested(depth - 1)), Ok(()));
        assert_eq!(within(limits, &nested(depth)), Ok(()));
        let past = JsonFault::TooDeep { offset: depth };
        assert_eq!(within(limits, &nested(depth + 1)), Err(past));
        assert_eq!(within(limits, &"[".repeat(100_000)), Err(past));
    }
    assert_eq!(usual().depth, 64);
}

#[test]
fn limit_json_keys_at_and_past_the_bound() {
    let objects = |count| format!("[{}]", vec![r#"{"a":1}"#; count].join(","));
    for keys in [2, 20, 10_000] {
        let limits = Limits { keys, ..usual() };
        assert_eq!(within(limits, &objects(keys - 1)), Ok(()));
        assert_eq!(within(limits, &objects(keys)), Ok(()));
        let past = JsonFault::TooManyKeys { limit: keys };
        assert_eq!(within(limits, &objects(keys + 1)), Err(past));
    }
    assert_eq!(usual().keys, 10_000);
}

#[test]
fn q15_numbers_beyond_a_double_are_refused_and_others_kept() {
    for text in ["1e400", "-1E+400", "[1e309]", &"9".repeat(400)] {
        assert!(
            matches!(fault(text), JsonFault::NumberNotFinite { .. }),
            "{text}"
        );
    }
    for text in [
        "1e308",
        "1e-400",
        "-0",
        "0.0",
        "9007199254740993",
        &"9".repeat(300),
    ] {
        assert!(is_read(text), "{text}");
    }
    for text in [
        "01", "1.", ".5", "+1", "0x1", "NaN", "Infinity", "-", "1e", "1e+", "- 1", "1_0",
    ] {
        assert!(
            matches!(fault(text), JsonFault::Unexpected { .. }),
            "{text}"
        );
    }
}

#[test]
fn q16_lone_surrogates_are_refused_in_keys_and_values() {
    for text in [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800\u0041""#,
        r#""\ud800x""#,
        r#"{"\udfff":1}"#,
    ] {
        assert!(
            matches!(fault(text), JsonFault::LoneSurrogate { .. }),
            "{text}"
        );
    }
    assert!(is_read(r#""\ud83d\ude00""#));
    for text in [
        r#""\u12""#,
        r#""\uzzzz""#,
        r#""\x""#,
        "\"\x01\"",
        "\"abcdefgh\nijk\"",
        "\"open",
        r#""\"#,
    ] {
        assert!(
            matches!(fault(text), JsonFault::Unexpected { .. }),
            "{text}"
        );
    }
}

#[test]
fn members_and_elements_stand_where_they_were() {
    let text = r#" {"a": {"tools": [ {"name":"x"} , {"n\u0061me":"y"},[]]}, "b":"\u0041"} "#;
    let document = scan(text.as_bytes(), Limits::ANSWER).unwrap();
    let a = document.member(&document.root(), "a").unwrap();
    let tools = document.member(&a.value, "tools").unwrap();
    let items = document.elements(&tools.value);
    assert_eq!(items.len(), 3);
    assert_eq!(document.text(&items[1]), r#"{"n\u0061me":"y"}"#);
    let name = document.member(&items[1], "name").unwrap();
    assert_eq!(document.string(&name.value).as_deref(), Some("y"));
    assert_eq!(document.members(&items[2]).count(), 0);
    let b = document.member(&document.root(), "b").unwrap();
    assert_eq!(document.string(&b.value).as_deref(), Some("A"));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |n| serde_json::Number::from_f64(n)
            .map(Value::Number)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_serde_writes_is_read(value in json(), is_pretty in any::<bool>()) {
        let text = if is_pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        prop_assert!(is_read(&text));
    }

    #[test]
    fn whatever_is_read_is_json_to_serde_too(value in json(), at in any::<usize>(), byte in any::<u8>()) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at % text.len();
        text[at] = byte;
        if is_read(&text) {
            prop_assert!(serde_json::from_slice::<Value>(&text).is_ok());
        }
    }

    #[test]
    fn any_string_is_read_back_as_it_was(string in any::<String>()) {
        let text = Value::from(string.as_str()).to_string();
        let document = scan(text.as_bytes(), usual()).unwrap();
        let read = document.string(&document.root()).unwrap();
        prop_assert_eq!(read.as_ref(), string.as_str());
    }
}
