//! An output that is closed, torn, or that nobody reads.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::Stdout;
use crate::audit::ship::line::{Line, Place};
use crate::audit::ship::shipper::{ShipError, Shipper};

/// An output that does what it is told, one write after the other.
struct Told {
    acts: Receiver<io::Result<usize>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Without an act it takes all.
        let count = self.acts.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
        self.bytes
            .lock()
            .unwrap()
            .extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Acts = SyncSender<io::Result<usize>>;

fn told() -> (Stdout, Acts, Arc<Mutex<Vec<u8>>>) {
    let (act, acts) = sync_channel(9);
    let bytes = Arc::default();
    let out = Told {
        acts,
        bytes: Arc::clone(&bytes),
    };
    (Stdout::over(out).unwrap(), act, bytes)
}

fn line(seq: u64) -> Line {
    let text = format!(r#"{{"seq":{seq},"event_id":"a"}}"#);
    let start = Place {
        seq: seq - 1,
        ..Place::default()
    };
    Line::read(text.into(), &start)
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(bytes.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_line_that_was_torn_gets_an_end_before_it_comes_again() {
    let (mut stdout, act, bytes) = told();
    act.send(Ok(5)).unwrap();
    act.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
    let failed = stdout.ship(&[line(1)]).await;
    assert!(
        matches!(failed, Err(ShipError::Unreachable(_))),
        "{failed:?}"
    );
    drop(act);
    let _ = stdout.ship(&[line(1)]).await.unwrap();
    assert_eq!(text(&bytes), "{\"seq\n{\"seq\":1,\"event_id\":\"a\"}\n");
}

#[tokio::test]
async fn an_output_that_would_block_is_written_to_its_end_once() {
    let (mut stdout, act, bytes) = told();
    for answer in [Ok(3), Err(io::ErrorKind::WouldBlock.into()), Ok(4)] {
        act.send(answer).unwrap();
    }
    drop(act);
    let _ = stdout.ship(&[line(1), line(2)]).await.unwrap();
    assert_eq!(text(&bytes).lines().count(), 2);
    assert_eq!(text(&bytes).matches("\"seq\":1").count(), 1);
}

#[tokio::test]
async fn what_the_thread_still_holds_is_not_handed_over_twice() {
    let (mut stdout, act, bytes) = told();
    {
        let batch = [line(1)];
        let mut shipping = std::pin::pin!(stdout.ship(&batch));
        let waits = std::future::poll_fn(|context| {
            std::task::Poll::Ready(shipping.as_mut().poll(context).is_pending())
        });
        assert!(waits.await, "nobody reads");
    }
    drop(act);
    let _ = stdout.ship(&[line(1)]).await.unwrap();
    let _ = stdout.ship(&[line(2)]).await.unwrap();
    assert_eq!(
        text(&bytes),
        "{\"seq\":1,\"event_id\":\"a\"}\n{\"seq\":2,\"event_id\":\"a\"}\n"
    );
}
