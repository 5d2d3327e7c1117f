//! The lane without a thread: the test is the writer.

use std::io;
use std::time::Duration;

use super::{Failure, Lane, Refusal, Urgency};
use crate::audit::event::{Event, Kind};
use crate::audit::id::EventIds;
use crate::audit::line::Line;
use crate::audit::part::Gateway;
use crate::model::{Digest, UnixTime};

fn record() -> Line {
    let at = UnixTime::from_millis(1);
    let gateway = Gateway {
        instance: "gw".into(),
        version: "0.1.0".into(),
        config: Digest::of(b""),
    };
    Line::of(&Event::new(
        Kind::Decision,
        at,
        EventIds::default().next(at),
        gateway,
    ))
    .unwrap()
}

fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn all_who_wait_for_one_write_learn_of_it_together() {
    let (lane, record, mut out) = (Lane::new(1 << 20), record(), Vec::new());
    let (first, one) = lane.push(&record, Urgency::Now).unwrap();
    let (second, two) = lane.push(&record, Urgency::Now).unwrap();
    assert_eq!((first, second), (1, 2));
    lane.nudge(&one);
    let batch = lane.take(&mut out).unwrap();
    let (_, three) = lane.push(&record, Urgency::Now).unwrap();
    assert_eq!(now(one.written()), None);
    lane.written(&batch);
    assert_eq!(now(one.written()), Some(Ok(())));
    assert_eq!(now(two.written()), Some(Ok(())));
    assert_eq!(now(three.written()), None, "it came after the write began");
}

#[test]
fn a_failed_write_refuses_those_in_it_and_those_behind_it() {
    let (lane, record, mut out) = (Lane::new(1 << 20), record(), Vec::new());
    let (_, one) = lane.push(&record, Urgency::Now).unwrap();
    lane.nudge(&one);
    let batch = lane.take(&mut out).unwrap();
    let (_, two) = lane.push(&record, Urgency::Now).unwrap();
    lane.failed(io::ErrorKind::StorageFull);
    let failure = Failure::Write(io::ErrorKind::StorageFull);
    assert_eq!(now(one.written()), Some(Err(failure)));
    assert_eq!(now(two.written()), Some(Err(failure)));
    assert_eq!(
        lane.push(&record, Urgency::Now).unwrap_err(),
        Refusal::Failed(failure)
    );
    assert!(
        lane.push(&record, Urgency::Soon).is_ok(),
        "an outcome waits for better times"
    );
    assert!(!lane.is_healthy());
    lane.written(&batch);
    assert!(lane.is_healthy());
    assert!(lane.push(&record, Urgency::Now).is_ok());
}

#[test]
fn bytes_in_the_writers_hands_count_against_the_limit() {
    let record = record();
    let (lane, mut out) = (Lane::new(record.len() * 3 / 2), Vec::new());
    let (_, one) = lane.push(&record, Urgency::Now).unwrap();
    assert_eq!(lane.push(&record, Urgency::Now).unwrap_err(), Refusal::Full);
    lane.nudge(&one);
    let batch = lane.take(&mut out).unwrap();
    assert_eq!(lane.push(&record, Urgency::Now).unwrap_err(), Refusal::Full);
    lane.written(&batch);
    assert!(lane.push(&record, Urgency::Now).is_ok());
}

#[test]
fn strangers_fill_an_eighth_of_the_queue_and_the_rest_of_them_is_counted() {
    let record = record();
    let lane = Lane::new(record.len() * 8 * 4);
    let taken = (0..10)
        .filter(|_| lane.push(&record, Urgency::Stranger).is_ok())
        .count();
    assert_eq!((taken, lane.lost()), (4, 6));
    let (seq, _) = lane.push(&record, Urgency::Now).unwrap();
    assert_eq!(seq, 5, "what is lost has no number");
}

#[test]
fn a_writer_that_is_gone_refuses_those_who_wait_and_those_who_come() {
    let (lane, record, mut out) = (Lane::new(1 << 20), record(), Vec::new());
    let (_, one) = lane.push(&record, Urgency::Now).unwrap();
    lane.nudge(&one);
    lane.take(&mut out).unwrap();
    let (_, two) = lane.push(&record, Urgency::Now).unwrap();
    lane.writer_gone();
    assert_eq!(now(one.written()), Some(Err(Failure::Closed)));
    assert_eq!(now(two.written()), Some(Err(Failure::Closed)));
    assert_eq!(
        lane.push(&record, Urgency::Soon).unwrap_err(),
        Refusal::Failed(Failure::Closed)
    );
    lane.close(Duration::ZERO);
    assert!(!lane.is_healthy());
}
