//! How much a server may say.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{Asked, ERAS, Era, Stage, assert_error, event, good, messages, result, stream};
use crate::support::{Reply, Setup};

async fn limited(limits: &str) -> Stage {
    let setup = Setup {
        extra: format!("limits: {{ {limits} }}\n"),
        ..Setup::default()
    };
    Stage::with(setup).await
}

#[tokio::test]
async fn limit_event_at_and_past_the_bound_over_sockets() {
    let text = event(&result());
    for (more, passes) in [(1, true), (0, true), (-1, false)] {
        let cap = i64::try_from(text.len()).unwrap() + more;
        let stage = limited(&format!("event: {cap}B")).await;
        for era in ERAS {
            let answer = stage.hears(&stream(text.clone()), era, Asked::Tool).await;
            if passes {
                assert_eq!(answer.body, text);
            } else {
                let heard = messages(&answer.body);
                assert_eq!(heard.len(), 1);
                assert_error(&heard[0], "an event too large");
            }
        }
        let expected = if passes { "ok" } else { "upstream_protocol" };
        assert_eq!(stage.outcomes().await, [expected; 2]);
    }
}

#[tokio::test]
async fn limit_answer_at_and_past_the_bound() {
    let (json, events) = (result().to_string(), event(&result()));
    for (more, passes) in [(1, true), (0, true), (-1, false)] {
        for (reply, length) in [(good(), json.len()), (stream(events.clone()), events.len())] {
            let cap = i64::try_from(length).unwrap() + more;
            let stage = limited(&format!("answer: {cap}B")).await;
            let answer = stage.hears(&reply, Era::Modern, Asked::Tool).await;
            assert_eq!(
                answer.body.contains("\"result\""),
                passes,
                "{}",
                answer.body
            );
            assert_eq!(answer.body.contains("upstream_protocol"), !passes);
            let expected = if passes { "ok" } else { "upstream_protocol" };
            assert_eq!(stage.outcomes().await, [expected]);
        }
    }
}

#[tokio::test]
async fn u17_an_answer_without_an_end_is_broken_off() {
    let stage = limited("answer: 4KiB").await;
    let log = event(&json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} }));
    let mut drip = stream(log.clone()).endless();
    drip.pieces = vec![(Duration::from_millis(1), Bytes::from(log)); 1000];
    for (what, reply) in [
        ("events", drip),
        ("comments", {
            let mut reply = stream(": x\n").endless();
            reply.pieces = vec![(Duration::from_millis(1), Bytes::from(": drip\n")); 5000];
            reply
        }),
    ] {
        for era in ERAS {
            let answer = stage.hears(&reply, era, Asked::Tool).await;
            let heard = messages(&answer.body);
            assert_error(heard.last().unwrap(), what);
            assert!(answer.body.len() < 6000, "{what}: {}", answer.body.len());
        }
    }
    assert_eq!(stage.outcomes().await, ["upstream_protocol"; 4]);
    let gone = crate::support::eventually(Duration::from_secs(5), || {
        stage.wire.upstream.aborted() == 4
    });
    assert!(
        gone.await,
        "the server should not be listened to any longer"
    );
}

#[tokio::test]
async fn u17_an_endless_event_is_not_held() {
    let stage = limited("event: 64KiB").await;
    let mut reply = stream("data: ").endless();
    reply
        .pieces
        .extend(vec![(Duration::ZERO, Bytes::from(vec![b'x'; 16_384])); 100]);
    for era in ERAS {
        let answer = stage.hears(&reply, era, Asked::Tool).await;
        assert_error(&messages(&answer.body)[0], "an event without an end");
    }
    stage.assert_well("after it").await;
}

#[tokio::test]
async fn limit_list_ttl_holds_what_a_list_says_of_its_life() {
    for (limit, written, kept) in [
        ("5s", 4999, 4999),
        ("5s", 5000, 5000),
        ("5s", 5001, 5000),
        ("0s", 1, 0),
    ] {
        let stage = limited(&format!("list_ttl: {limit}")).await;
        let list = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [], "ttlMs": written, "cacheScope": "public" } });
        let answer = stage
            .hears(&Reply::json(&list), Era::Modern, Asked::List)
            .await;
        let expected = json!({ "tools": [], "ttlMs": kept, "cacheScope": "private" });
        assert_eq!(answer.json()["result"], expected);
    }
}

#[tokio::test]
async fn s04_every_page_is_filtered_and_an_empty_one_leads_on() {
    let stage = Stage::start().await;
    let page = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [{ "name": super::MARK }], "nextCursor": "=/\u{e9}" } });
    let mut message = Asked::List.message(Era::Modern, &json!({}));
    message["params"]["cursor"] = json!("opaque=/+");
    let answer = stage
        .hears_with(&Reply::json(&page), Era::Modern, &message)
        .await;
    assert_eq!(answer.json()["result"]["tools"], json!([]));
    assert_eq!(answer.json()["result"]["nextCursor"], "=/\u{e9}");
    let arrived = stage.wire.upstream.arrived().remove(0).json();
    assert_eq!(arrived["params"]["cursor"], "opaque=/+");
}
