//! What only a server that writes its bytes itself can do.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Asked, ERAS, Era, MARK, assert_error, assert_silent, event, messages, result};
use crate::support::{Agent, Answer, Gateway, Setup};

/// How the server leaves the connection once it has said its line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Listen,
    Close,
    Reset,
}

struct Rig {
    gateway: Gateway,
    agent: Agent,
    asked: Arc<AtomicUsize>,
}

/// A gateway in front of a server that answers the request with this number (from 0) so, each on whatever connection.
async fn rig(line: impl Fn(usize) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Rig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (asked, line) = (Arc::new(AtomicUsize::new(0)), Arc::new(line));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (counter, line) = (Arc::clone(&counter), Arc::clone(&line));
            tokio::spawn(async move { serve(socket, &counter, line.as_ref()).await });
        }
    });
    let setup = Setup::default();
    let token = setup.analyst();
    let yaml = setup.yaml(&url);
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));
    Rig {
        gateway,
        agent,
        asked,
    }
}

async fn serve(
    mut socket: TcpStream,
    counter: &AtomicUsize,
    line: &(dyn Fn(usize) -> (Vec<u8>, Then) + Send + Sync),
) {
    while whole_request(&mut socket).await {
        let (bytes, then) = line(counter.fetch_add(1, Ordering::SeqCst));
        if socket.write_all(&bytes).await.is_err() || then == Then::Close {
            return;
        }
        if then == Then::Reset {
            // What was written should arrive before the reset overtakes it.
            tokio::time::sleep(Duration::from_millis(100)).await;
            socket.set_zero_linger().unwrap();
            return;
        }
    }
}

async fn whole_request(socket: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match socket.read(&mut piece).await {
            Ok(count) if count > 0 => read.extend_from_slice(&piece[..count]),
            Ok(_) | Err(_) => return false,
        }
        let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return true;
        }
    }
}

fn whole(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

fn chunked(media: &str, chunks: &[&str], end: &str) -> Vec<u8> {
    let mut out =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n");
    for chunk in chunks {
        write!(out, "{:x}\r\n{chunk}\r\n", chunk.len()).unwrap();
    }
    out.push_str(end);
    out.into_bytes()
}

impl Rig {
    async fn ask(&self, era: Era) -> Answer {
        let message = Asked::Tool.message(era, &Value::Null);
        match era {
            Era::Legacy => self.agent.legacy(&message).await,
            Era::Modern => self.agent.modern(&message).await,
        }
    }

    async fn reasons(&self, count: usize) -> Vec<Value> {
        let outcomes = self.gateway.outcomes(count).await;
        outcomes
            .iter()
            .map(|outcome| outcome["reason"]["code"].clone())
            .collect()
    }
}

#[tokio::test]
async fn u18_bytes_after_an_answer_reach_nobody() {
    let evil = json!({ "jsonrpc": "2.0", "id": 7, "result": { "x": MARK } }).to_string();
    let rig = rig(move |_| {
        let mut bytes = whole(&result().to_string());
        bytes.extend(whole(&evil));
        (bytes, Then::Listen)
    })
    .await;
    for era in [ERAS, ERAS, ERAS].concat() {
        let answer = rig.ask(era).await;
        assert_silent(&answer, "the second answer");
        assert_eq!(answer.json(), result());
    }
    assert_eq!(rig.asked.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn u18_a_flood_of_informational_heads_ends() {
    let rig = rig(|number| {
        let hint = format!("HTTP/1.1 103 Early Hints\r\nlink: <http://evil.test/{MARK}>\r\n\r\n");
        let hints = if number % 2 == 0 { 8 } else { 1000 };
        let mut bytes = hint.repeat(hints).into_bytes();
        bytes.extend(whole(&result().to_string()));
        (bytes, Then::Listen)
    })
    .await;
    for era in ERAS {
        let answer = rig.ask(era).await;
        assert_silent(&answer, "a few");
        assert_eq!(answer.json(), result());
        let answer = rig.ask(era).await;
        assert_silent(&answer, "a flood");
        assert_eq!(answer.status, 502, "{}", answer.body);
        assert_error(&answer.json(), "a flood");
    }
    assert_eq!(
        rig.asked.load(Ordering::SeqCst),
        4,
        "nothing is tried again"
    );
}

#[tokio::test]
async fn u19_a_stream_that_breaks_off_ends_with_an_error_and_is_not_tried_again() {
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} });
    let started = event(&log);
    let half = format!("data: {{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"x\":\"{MARK}");
    for then in [Then::Close, Then::Reset] {
        let (started, half) = (started.clone(), half.clone());
        let rig = rig(move |_| (chunked("text/event-stream", &[&started, &half], ""), then)).await;
        for era in ERAS {
            let answer = rig.ask(era).await;
            assert_silent(&answer, "half an event");
            let heard = messages(&answer.body);
            assert_eq!(
                (heard.len(), &heard[0]),
                (2, &log),
                "{then:?} {}",
                answer.body
            );
            assert_eq!(heard[1]["id"], 7);
            assert!(
                heard[1]["error"]["code"].as_i64().unwrap() >= 50200,
                "{}",
                heard[1]
            );
        }
        assert_eq!(
            rig.asked.load(Ordering::SeqCst),
            2,
            "{then:?}: nothing is tried again"
        );
        for reason in rig.reasons(2).await {
            assert!(
                reason.as_str().unwrap().starts_with("upstream_"),
                "{reason}"
            );
        }
        for outcome in rig.gateway.outcomes(2).await {
            assert_eq!(
                outcome["outcome"].get("is_error"),
                None,
                "how it went is unknown"
            );
        }
    }
}

#[tokio::test]
async fn u19_a_stream_that_breaks_off_after_its_answer_was_answered() {
    let rig = rig(|_| {
        (
            chunked("text/event-stream", &[&event(&result())], ""),
            Then::Reset,
        )
    })
    .await;
    for era in ERAS {
        let answer = rig.ask(era).await;
        assert_eq!(messages(&answer.body), [result()]);
    }
    for outcome in rig.gateway.outcomes(2).await {
        assert_eq!(outcome["outcome"]["is_error"], false);
    }
}

#[tokio::test]
async fn u19_half_a_body_is_never_made_whole() {
    let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"x\":\"{MARK}");
    for then in [Then::Close, Then::Reset] {
        let text = text.clone();
        let rig = rig(move |_| (chunked("application/json", &[&text], ""), then)).await;
        let message = Asked::Tool.message(Era::Legacy, &Value::Null).to_string();
        let response = rig
            .agent
            .request(reqwest::Method::POST)
            .body(message)
            .send()
            .await;
        if let Ok(response) = response
            && let Ok(text) = response.text().await
        {
            assert!(!text.contains(MARK), "{text}");
            let error: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(error["id"], 7, "{text}");
            assert!(error["error"]["code"].as_i64().unwrap() >= 50200, "{text}");
        }
        assert_eq!(rig.asked.load(Ordering::SeqCst), 1, "{then:?}");
        assert!(rig.reasons(1).await[0].is_string());
    }
}

#[tokio::test]
async fn u20_what_a_broken_server_says_of_itself_is_not_repeated() {
    let lines = [
        format!(
            "HTTP/1.1 500 {MARK}\r\ncontent-type: text/plain\r\ncontent-length: 20\r\n\r\nat {MARK} (a.js:1:22)"
        ),
        format!("{MARK} is not http\r\n\r\n"),
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {MARK}\r\n\r\n{{}}"
        ),
        format!("HTTP/1.1 200 OK\r\nx-{MARK}\r\n\r\n"),
    ];
    for line in lines {
        let said = line.clone();
        let rig = rig(move |_| (said.clone().into_bytes(), Then::Close)).await;
        for era in ERAS {
            let answer = rig.ask(era).await;
            assert!(answer.status >= 500, "{line}");
            assert_silent(&answer, &line);
            assert_eq!(answer.json()["id"], 7);
        }
    }
}
