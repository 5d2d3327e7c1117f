//! Against a real server: what is made of a stream, and who may publish to it.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::{Nats, Shipper};
use crate::audit::ship::line::{Line, Place};
use crate::audit::ship::settings::{MissingStream, NatsSettings};
use crate::audit::ship::shipper::ShipError;
use crate::audit::ship::support::nats::NatsServer;
use crate::audit::ship::support::{BOUNDS, Book, Running, until};

fn settings(url: String) -> NatsSettings {
    NatsSettings {
        url,
        stream: "AUDIT".to_owned(),
        subject: "gatewright.audit".to_owned(),
        missing: MissingStream::Waited,
        credentials_file: None,
        token_file: None,
        ca_file: None,
        timeout: Duration::from_secs(10),
        batch: BOUNDS,
    }
}

fn line(seq: u64) -> Line {
    let text = format!(r#"{{"seq":{seq},"event_id":"id-{seq}"}}"#);
    Line::read(text.into(), &Place::default())
}

/// Makes a stream for `gatewright.audit`.
async fn make_stream(server: &NatsServer, name: &str) {
    let config = async_nats::jetstream::stream::Config {
        name: name.to_owned(),
        subjects: vec!["gatewright.audit".to_owned()],
        ..Default::default()
    };
    server.context().await.create_stream(config).await.unwrap();
}

async fn shipped(settings: &NatsSettings, lines: &[Line]) -> Result<(), ShipError> {
    Nats::new(settings).unwrap().ship(lines).await.map(drop)
}

#[tokio::test]
async fn a_stream_that_is_missing_is_waited_for() {
    let server = NatsServer::start("").await;
    let told = shipped(&settings(server.url()), &[line(1)])
        .await
        .unwrap_err();
    assert!(
        matches!(&told, ShipError::Refused(why) if why.contains("does not exist")),
        "{told:?}"
    );
    make_stream(&server, "AUDIT").await;
    shipped(&settings(server.url()), &[line(1)]).await.unwrap();
    assert_eq!(server.messages("AUDIT").await.len(), 1);
}

#[tokio::test]
async fn a_stream_that_is_made_lets_nobody_take_a_record_out() {
    let server = NatsServer::start("").await;
    let making = NatsSettings {
        missing: MissingStream::Made,
        ..settings(server.url())
    };
    shipped(&making, &[line(1), line(2)]).await.unwrap();
    let stream = server.context().await.get_stream("AUDIT").await.unwrap();
    assert!(stream.delete_message(1).await.is_err());
    assert!(stream.purge().await.is_err());
    assert_eq!(server.messages("AUDIT").await.len(), 2);
}

#[tokio::test]
async fn a_record_goes_to_the_named_stream_and_no_other() {
    let server = NatsServer::start("").await;
    make_stream(&server, "OTHER").await;
    let stray = NatsSettings {
        stream: "AUDIT".to_owned(),
        ..settings(server.url())
    };
    let context = server.context().await;
    let config = async_nats::jetstream::stream::Config {
        name: "AUDIT".to_owned(),
        subjects: vec!["somewhere.else".to_owned()],
        ..Default::default()
    };
    context.create_stream(config).await.unwrap();
    let told = shipped(&stray, &[line(1)]).await.unwrap_err();
    assert!(matches!(told, ShipError::Refused(_)), "{told:?}");
    assert!(server.messages("OTHER").await.is_empty());
    let elsewhere = NatsSettings {
        subject: "somewhere.else".to_owned(),
        ..stray
    };
    shipped(&elsewhere, &[line(1)]).await.unwrap();
    assert_eq!(server.messages("AUDIT").await.len(), 1);
}

#[tokio::test]
async fn the_server_drops_what_it_has() {
    let server = NatsServer::start("").await;
    make_stream(&server, "AUDIT").await;
    let settings = settings(server.url());
    shipped(&settings, &[line(1), line(2)]).await.unwrap();
    shipped(&settings, &[line(1), line(2), line(3)])
        .await
        .unwrap();
    assert_eq!(server.messages("AUDIT").await.len(), 3);
}

#[tokio::test]
async fn a_server_that_wants_a_token_gets_the_one_of_the_file() {
    let server = NatsServer::start("authorization { token: \"let-me-in\" }").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let settings = NatsSettings {
        missing: MissingStream::Made,
        token_file: Some(file.clone()),
        ..settings(server.url())
    };
    std::fs::write(&file, "wrong\n").unwrap();
    let told = shipped(&settings, &[line(1)]).await.unwrap_err();
    assert!(matches!(told, ShipError::Refused(_)), "{told:?}");
    std::fs::write(&file, "let-me-in\n").unwrap();
    shipped(&settings, &[line(1)]).await.unwrap();
}

#[tokio::test]
async fn a_user_shows_its_token_and_signs_with_its_seed() {
    // What is behind a `.creds` file only a server with operators judges: here is one that notes what it is shown.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let shown = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let info = r#"{"server_id":"a","version":"2.9.10","nonce":"abc","auth_required":true,"max_payload":1048576,"headers":true}"#;
        socket
            .write_all(format!("INFO {info}\r\n").as_bytes())
            .await
            .unwrap();
        let mut lines = tokio::io::BufReader::new(socket).lines();
        lines.next_line().await.unwrap().unwrap()
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user.creds");
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\nthe.user.jwt\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&file, creds).unwrap();
    let settings = NatsSettings {
        credentials_file: Some(file),
        ..settings(url)
    };
    let told = shipped(&settings, &[line(1)]).await.unwrap_err();
    assert!(!told.to_string().contains(SEED), "{told}");
    let connect = shown.await.unwrap();
    let connect: serde_json::Value =
        serde_json::from_str(connect.strip_prefix("CONNECT ").unwrap()).unwrap();
    assert_eq!(connect["jwt"], "the.user.jwt");
    assert!(
        connect["sig"]
            .as_str()
            .is_some_and(|signature| signature.len() == 86),
        "{connect}"
    );
}

/// Of the examples in the documentation of NATS.
const SEED: &str = "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4";

#[tokio::test]
async fn a_record_that_the_server_finds_too_large_is_refused() {
    let server = NatsServer::start("max_payload: 1024").await;
    make_stream(&server, "AUDIT").await;
    let large = Line::read("x".repeat(2_000).into(), &Place::default());
    let told = shipped(&settings(server.url()), &[large])
        .await
        .unwrap_err();
    assert!(
        matches!(&told, ShipError::Refused(why) if why.contains("larger")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let told = shipped(&settings("nats://127.0.0.1:1".to_owned()), &[line(1)])
        .await
        .unwrap_err();
    assert!(matches!(told, ShipError::Unreachable(_)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_and_started_under_load_holds_each_record_once_in_order() {
    let mut server = NatsServer::start("").await;
    make_stream(&server, "AUDIT").await;
    let mut book = Book::new();
    let shipper = Nats::new(&settings(server.url())).unwrap();
    let running = Running::start(&book, "nats", Box::new(shipper));
    let mut seq = 0;
    for round in 0..4 {
        let started = running.standing.waiting(u64::MAX);
        for _ in 0..20 {
            book.write(50);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        seq += 1_000;
        until("some of it is there", || {
            running.standing.waiting(u64::MAX) < started
        })
        .await;
        server.stop();
        book.write(200);
        book.rotate();
        seq += 200;
        until("the loss is noticed", || {
            running.standing.trouble().is_some()
        })
        .await;
        assert!(running.standing.waiting(seq) > 0, "round {round}");
        server.resume().await;
    }
    until("everything is acknowledged", || {
        running.standing.waiting(seq) == 0
    })
    .await;
    running.finish().await;
    assert_eq!(server.messages("AUDIT").await, book.lines());
}
