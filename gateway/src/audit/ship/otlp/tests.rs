//! The request as a collector reads it, and what its answer means.

use serde_json::{Value, json};

use super::{Otlp, record, rejected};
use crate::audit::ship::line::{Line, Place};
use crate::audit::ship::shipper::Shipper;
use crate::audit::ship::support::{Act, Collector};

fn line(text: &str) -> Line {
    Line::read(text.to_owned().into(), &Place::default())
}

const RECORD: &str = r#"{"timestamp":"2026-11-22T08:00:00.250Z","sub":"alice","act":null,"decision":"deny","event_id":"id-1","seq":1,"kind":"decision","subject":{"iss":"https://auth.test","roles":["a"]},"actor":{"chain":[{"sub":"bot"}]},"outcome":{"is_error":false,"upstream_ms":1.5,"http_status":403},"trace_id":"0af7651916cd43dd8448eb211c80319c"}"#;

fn records(lines: &[Line]) -> Vec<Value> {
    let request: Value = serde_json::from_slice(&record::request(lines)).unwrap();
    let resource = &request["resourceLogs"][0];
    assert_eq!(
        resource["resource"]["attributes"][0],
        json!({ "key": "service.name", "value": { "stringValue": "gatewright" } })
    );
    assert_eq!(
        resource["scopeLogs"][0]["scope"]["name"],
        "gatewright.audit"
    );
    resource["scopeLogs"][0]["logRecords"]
        .as_array()
        .unwrap()
        .clone()
}

fn attribute<'r>(record: &'r Value, key: &str) -> Option<&'r Value> {
    let attributes = record["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|one| one["key"] == key)?;
    Some(&found["value"])
}

#[test]
fn a_record_has_its_name_time_trace_and_dotted_attributes() {
    let record = records(&[line(RECORD)]).remove(0);
    assert_eq!(record["eventName"], "gatewright.decision");
    assert_eq!(record["timeUnixNano"], "1795334400250000000");
    assert_eq!(record["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(
        (&record["severityNumber"], &record["severityText"]),
        (&json!(13), &json!("WARN"))
    );
    assert!(record.get("body").is_none());
    let expected = [
        ("sub", json!({ "stringValue": "alice" })),
        ("seq", json!({ "intValue": "1" })),
        ("subject.iss", json!({ "stringValue": "https://auth.test" })),
        (
            "subject.roles",
            json!({ "arrayValue": { "values": [{ "stringValue": "a" }] } }),
        ),
        (
            "actor.chain",
            json!({ "arrayValue": { "values": [{ "kvlistValue": { "values": [
                { "key": "sub", "value": { "stringValue": "bot" } }
            ] } }] } }),
        ),
        ("outcome.is_error", json!({ "boolValue": false })),
        ("outcome.upstream_ms", json!({ "doubleValue": 1.5 })),
        ("outcome.http_status", json!({ "intValue": "403" })),
        ("log.record.original", json!({ "stringValue": RECORD })),
    ];
    for (key, value) in expected {
        assert_eq!(attribute(&record, key), Some(&value), "{key}");
    }
    assert_eq!(attribute(&record, "act"), None, "what is null is not there");
}

#[test]
fn what_was_refused_or_is_strange_stands_out() {
    let cases = [
        (
            r#"{"seq":1,"event_id":"a","kind":"decision","decision":"allow"}"#,
            9,
        ),
        (
            r#"{"seq":1,"event_id":"a","kind":"decision","decision":"deny"}"#,
            13,
        ),
        (r#"{"seq":1,"event_id":"a","kind":"anomaly"}"#, 13),
        (r#"{"seq":1,"event_id":"a","kind":"lifecycle"}"#, 9),
        ("torn", 17),
    ];
    for (text, number) in cases {
        assert_eq!(
            records(&[line(text)])[0]["severityNumber"],
            number,
            "{text}"
        );
    }
}

#[test]
fn a_line_that_cannot_be_read_still_arrives() {
    let record = records(&[line("torn")]).remove(0);
    assert_eq!(record["eventName"], "gatewright.unreadable");
    let original = json!({ "stringValue": "torn" });
    assert_eq!(attribute(&record, "log.record.original"), Some(&original));
}

#[test]
fn a_trace_that_is_none_is_left_out() {
    for trace in ["", "zz", "00000000000000000000000000000000"] {
        let text = format!(r#"{{"seq":1,"event_id":"a","trace_id":"{trace}"}}"#);
        assert!(
            records(&[line(&text)])[0].get("traceId").is_none(),
            "{trace}"
        );
    }
}

#[test]
fn a_partial_success_says_how_many_were_thrown_away() {
    let cases = [
        (
            r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"no"}}"#,
            3,
        ),
        (r#"{"partialSuccess":{"rejectedLogRecords":4}}"#, 4),
        (r#"{"partialSuccess":{"errorMessage":"only a warning"}}"#, 0),
        (r#"{"partialSuccess":{}}"#, 0),
        ("{}", 0),
        ("", 0),
        ("<html>", 0),
    ];
    for (answer, count) in cases {
        assert_eq!(rejected(answer.as_bytes()), count, "{answer}");
    }
}

#[tokio::test]
async fn a_partial_success_is_a_success() {
    let collector = Collector::start().await;
    collector.next([Act::Take(
        r#"{"partialSuccess":{"rejectedLogRecords":"1"}}"#,
    )]);
    let mut otlp = Otlp::new(&collector.settings()).unwrap();
    let receipt = otlp.ship(&[line(RECORD), line(RECORD)]).await.unwrap();
    assert_eq!(receipt.rejected, 1);
    let kept = collector.kept();
    assert_eq!(kept[0].headers["content-type"], "application/json");
}
