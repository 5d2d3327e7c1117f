//! The generator against servers that answer well, badly and not at all.

use std::net::SocketAddr;
use std::time::Duration;

use gatewright_benches::content::{Answers, Ask, JSON_PATH, Question};
use gatewright_benches::http1::first_message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Broken, Cell, Failure, Sample, measure};
use crate::judge::{Expected, Wrong};

/// Reads one request after the other and answers with what `answer` makes of it.
async fn serve(mut stream: TcpStream, answer: fn(&[u8]) -> Vec<u8>) {
    let mut input = Vec::new();
    while stream.read_buf(&mut input).await.is_ok_and(|read| read > 0) {
        let Some(message) = first_message(&input).unwrap() else {
            continue;
        };
        let answer = answer(&message.body);
        if answer.is_empty() {
            return;
        }
        stream.write_all(&answer).await.unwrap();
        input.clear();
    }
}

async fn listen(answer: fn(&[u8]) -> Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer));
        }
    });
    address
}

async fn measured(answer: fn(&[u8]) -> Vec<u8>) -> Result<Sample, Failure> {
    let question = Question::new(Ask::Call);
    let expected = Expected::call(question.body_length());
    let cell = Cell {
        address: listen(answer).await,
        process: None,
        question: &question,
        path: JSON_PATH,
        tokens: &["token".to_owned()],
        expected: &expected,
        connections: 3,
        measured: Duration::from_millis(100),
    };
    measure(cell).await
}

fn right(body: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    Answers::default().write(b"POST /mcp HTTP/1.1", body, &mut output);
    output
}

#[tokio::test]
async fn right_answers_make_a_sample() {
    let sample = measured(right).await.unwrap();
    assert!(
        sample.requests > 0 && sample.p50 <= sample.p99 && sample.cost.is_none(),
        "{sample:?}"
    );
}

#[tokio::test]
async fn one_refusal_voids_the_cell() {
    let refuse = |_: &[u8]| b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec();
    let failure = measured(refuse).await.unwrap_err();
    assert!(
        matches!(failure, Failure::Agent(Broken::Wrong(Wrong::Status { .. }))),
        "{failure}"
    );
}

#[tokio::test]
async fn an_answer_to_another_request_voids_the_cell() {
    let failure = measured(|_| right(br#"{"id":7}"#)).await.unwrap_err();
    assert!(
        matches!(failure, Failure::Agent(Broken::Wrong(Wrong::Id { .. }))),
        "{failure}"
    );
}

#[tokio::test]
async fn a_closed_connection_voids_the_cell() {
    let failure = measured(|_| Vec::new()).await.unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Agent(Broken::Closed | Broken::Connection(_))
        ),
        "{failure}"
    );
}

#[tokio::test]
async fn a_connection_that_the_server_ends_with_its_answer_is_opened_again() {
    let last = |body: &[u8]| {
        let answer = String::from_utf8(right(body)).unwrap();
        answer
            .replacen("\r\n", "\r\nConnection: close\r\n", 1)
            .into_bytes()
    };
    assert!(measured(last).await.unwrap().requests > 3);
}
