//! Streams of a session and of a subscription end with their token, whatever comes on them, and no later.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;

use super::{
    Asked, LIFE, NEWS, SOON, agent, assert_ended, assert_on_record, busy, each, fronting, hear,
    rest, silence,
};
use crate::edge::{Act, RawPeer};
use crate::support::{Gateway, Reply, Setup, Upstream, eventually};

const WAYS: [(Asked, &str); 4] = [
    (Asked::Stream, "h1"),
    (Asked::Stream, "h2"),
    (Asked::Listen, "h1"),
    (Asked::Listen, "h2"),
];

async fn assert_stream_ends(asked: Asked, version: &str, reply: Reply, server: &str) {
    let what = format!("{asked:?} over {version}");
    let upstream = Upstream::start(move |_| reply.clone()).await;
    let gateway = fronting(&upstream.url(), server).await;
    let agent = agent(&gateway, version, LIFE);

    let heard = hear(asked.request(&agent)).await;

    heard.assert_in_time(SOON, &what);
    assert_eq!(heard.status, 200, "{what}");
    assert!(heard.is_whole, "{what}: {heard:?}");
    assert!(
        heard.text.starts_with(str::from_utf8(NEWS).unwrap()),
        "{what}: what came before its end was heard: {heard:?}"
    );
    if asked == Asked::Listen {
        let graceful = json!({
            "jsonrpc": "2.0", "id": 7,
            "result": {
                "resultType": "complete",
                "_meta": { "io.modelcontextprotocol/subscriptionId": 7 },
            },
        });
        assert_eq!(heard.last_event(), graceful, "{what}");
    } else {
        assert!(!heard.text.contains("\"id\""), "{what}: {heard:?}");
    }
    assert_ended(&gateway, &upstream, &json!(200), &what).await;
}

#[tokio::test]
async fn x11_a_silent_stream_ends_with_its_token() {
    each(&WAYS, |asked, version| {
        assert_stream_ends(asked, version, silence(), "")
    })
    .await;
}

#[tokio::test]
async fn x11_a_busy_stream_ends_with_its_token() {
    each(&WAYS, |asked, version| {
        assert_stream_ends(asked, version, busy(&silence(), NEWS), "")
    })
    .await;
}

#[tokio::test]
async fn x11_a_stream_ends_with_its_token_where_calls_outlive_theirs() {
    let server = "    calls_outlive_token: true\n";
    for (asked, version) in [(Asked::Stream, "h1"), (Asked::Listen, "h2")] {
        assert_stream_ends(asked, version, silence(), server).await;
    }
}

#[tokio::test]
async fn x11_a_subscription_that_is_cut_inside_an_event_still_ends_in_order() {
    let half: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notif";
    let mut reply = silence();
    reply.pieces.push((Duration::ZERO, half.into()));

    assert_stream_ends(Asked::Listen, "h1", reply, "").await;
}

#[tokio::test]
async fn x11_a_silent_stream_of_a_token_that_lives_stays_open() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let upstream = Upstream::start(|_| silence()).await;
        let gateway = fronting(&upstream.url(), "").await;
        let agent = agent(&gateway, version, Duration::from_secs(600));
        let mut open = asked.request(&agent).send().await.unwrap();
        let first = open.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(NEWS), "{what}");

        let more = tokio::time::timeout(LIFE + SOON, open.chunk()).await;

        assert!(more.is_err(), "{what}: {more:?}");
        assert_eq!(upstream.aborted(), 0, "{what}");
        let metrics = gateway.metrics().await;
        let open_streams = "gatewright_streams_active{server=\"crm\"} 1";
        assert!(metrics.contains(open_streams), "{what}");
    })
    .await;
}

#[tokio::test]
async fn limit_stream_age_ends_streams_in_order_and_no_call() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let upstream = Upstream::start(|_| silence()).await;
        let setup = Setup {
            extra: "limits: { stream_age: 1200ms }\n".to_owned(),
            ..Setup::default()
        };
        let yaml = setup.yaml(&upstream.url());
        let gateway = Gateway::start(setup, yaml).await;
        let agent = agent(&gateway, version, Duration::from_secs(600));

        let heard = hear(asked.request(&agent)).await;

        heard.assert_in_time(SOON, &what);
        assert!(heard.is_whole, "{what}: {heard:?}");
        if asked == Asked::Listen {
            assert_eq!(heard.last_event()["result"]["resultType"], "complete");
        }
        let outcome = gateway.outcomes(1).await.remove(0);
        assert_eq!(outcome["reason"]["code"], "stream_timeout", "{outcome:#}");
        assert_eq!(outcome["outcome"]["http_status"], 200, "{outcome:#}");
    })
    .await;
    let answer = json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [] } });
    let late = Bytes::from(format!("data: {answer}\n\n"));
    let upstream = Upstream::start(move |_| {
        let mut reply = Reply::events(vec![late.clone()]);
        reply.pieces = vec![(LIFE, late.clone())];
        reply
    })
    .await;
    let setup = Setup {
        extra: "limits: { stream_age: 300ms }\n".to_owned(),
        ..Setup::default()
    };
    let yaml = setup.yaml(&upstream.url());
    let gateway = Gateway::start(setup, yaml).await;
    let agent = agent(&gateway, "h1", Duration::from_secs(600));
    let heard = hear(Asked::Call.request(&agent)).await;
    assert_eq!(heard.last_event(), answer, "an answer takes its time");
}

#[tokio::test]
async fn x11_a_stream_without_a_head_is_refused_at_the_end_of_its_token() {
    each(&WAYS, |asked, version| async move {
        let peer = RawPeer::start(|_| Act::Stay).await;
        let what = format!("{asked:?} over {version}");
        let gateway = fronting(&peer.url(), "").await;
        let agent = agent(&gateway, version, LIFE);
        let since = Instant::now();

        let response = asked.request(&agent).send().await.unwrap();

        // To open it again does no harm: the challenge says with what.
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.starts_with("Bearer error=\"invalid_token\""),
            "{what}: {challenge}"
        );
        let heard = rest(response, since).await;
        heard.assert_in_time(SOON, &what);
        assert_eq!(heard.status, 401, "{what}");
        assert_eq!(
            heard.json()["error"]["data"]["reason"],
            "token_expired",
            "{what}"
        );
        assert_on_record(&gateway, &json!(401), &what).await;
    })
    .await;
}

#[tokio::test]
async fn each_stream_has_a_connection_of_its_own_that_is_not_kept() {
    let upstream = Upstream::start(|_| Reply::events(vec![NEWS.into()])).await;
    let gateway = fronting(&upstream.url(), "").await;
    let agent = agent(&gateway, "h1", Duration::from_secs(600));
    for count in 1..=3 {
        let heard = hear(Asked::Stream.request(&agent)).await;

        assert!(heard.is_whole && heard.text.starts_with("data: "));
        assert_eq!(upstream.connected(), count);
        assert!(eventually(SOON, || upstream.disconnected() == count).await);
    }
    // Calls go on sharing theirs.
    for _ in 0..3 {
        assert!(hear(Asked::Call.request(&agent)).await.is_whole);
    }
    assert_eq!((upstream.connected(), upstream.disconnected()), (4, 3));
}

#[tokio::test]
async fn x11_the_end_of_a_token_concerns_no_other_stream_of_its_connection() {
    let upstream = Upstream::start(|_| silence()).await;
    let gateway = fronting(&upstream.url(), "").await;
    let brief = agent(&gateway, "h2", LIFE);
    let mut lasting = agent(&gateway, "h2", Duration::from_secs(600));
    lasting.client = brief.client.clone();
    let mut open = Asked::Listen.request(&lasting).send().await.unwrap();
    assert!(open.chunk().await.unwrap().is_some());

    let heard = hear(Asked::Listen.request(&brief)).await;

    assert!(heard.is_whole, "{heard:?}");
    assert!(eventually(SOON, || upstream.aborted() == 1).await);
    let more = tokio::time::timeout(SOON, open.chunk()).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(upstream.aborted(), 1);
}

#[tokio::test]
async fn x11_the_end_of_a_token_concerns_no_later_request_of_its_connection() {
    let upstream = Upstream::plain().await;
    let gateway = fronting(&upstream.url(), "").await;
    let brief = agent(&gateway, "h1", LIFE);
    let mut lasting = agent(&gateway, "h1", Duration::from_secs(600));
    lasting.client = brief.client.clone();
    assert_eq!(hear(Asked::Call.request(&brief)).await.status, 200);

    tokio::time::sleep(LIFE + SOON).await;

    assert_eq!(hear(Asked::Call.request(&brief)).await.status, 401);
    assert_eq!(hear(Asked::Call.request(&lasting)).await.status, 200);
    assert_eq!(upstream.count(), 2);
}
