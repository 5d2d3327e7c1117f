//! The lane without a thread: the test is the writer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{Batch, Failure, Lane, Lines, Refusal, Standing, Taken, Urgency};
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

/// A lane that lets nothing pass.
fn strict(limit: usize) -> Lane {
    Lane::new(limit, Duration::ZERO)
}

fn wait_for(lane: &Lane, record: &Line) -> Arc<Batch> {
    lane.push(record, Urgency::Now).unwrap().unwrap()
}

fn taken(lane: &Lane, out: &mut Lines) -> Arc<Batch> {
    let Taken::Batch(batch) = lane.take(out, Duration::ZERO) else {
        panic!("there are lines");
    };
    batch
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
    let (lane, record, mut out) = (strict(1 << 20), record(), Lines::default());
    let one = wait_for(&lane, &record);
    let two = wait_for(&lane, &record);
    assert_eq!(lane.taken(), 2);
    lane.nudge(&one);
    let batch = taken(&lane, &mut out);
    let three = wait_for(&lane, &record);
    assert_eq!(now(one.written()), None);
    lane.written(&batch);
    assert_eq!(now(one.written()), Some(Ok(())));
    assert_eq!(now(two.written()), Some(Ok(())));
    assert_eq!(now(three.written()), None, "it came after the write began");
}

#[test]
fn a_failed_write_refuses_those_in_it_and_those_behind_it() {
    let (lane, record, mut out) = (strict(1 << 20), record(), Lines::default());
    let one = wait_for(&lane, &record);
    lane.nudge(&one);
    let batch = taken(&lane, &mut out);
    let two = wait_for(&lane, &record);
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
    assert_eq!(lane.standing(), Standing::Failing);
    lane.written(&batch);
    assert_eq!(lane.standing(), Standing::Well);
    assert!(lane.push(&record, Urgency::Now).is_ok());
}

#[test]
fn bytes_in_the_writers_hands_count_against_the_limit() {
    let record = record();
    let (lane, mut out) = (strict(record.len() * 3 / 2), Lines::default());
    let one = wait_for(&lane, &record);
    assert_eq!(lane.push(&record, Urgency::Now).unwrap_err(), Refusal::Full);
    lane.nudge(&one);
    let batch = taken(&lane, &mut out);
    assert_eq!(lane.push(&record, Urgency::Now).unwrap_err(), Refusal::Full);
    lane.written(&batch);
    assert!(lane.push(&record, Urgency::Now).is_ok());
}

#[test]
fn a19_strangers_fill_an_eighth_of_the_queue_and_the_rest_of_them_is_counted() {
    let record = record();
    let lane = strict(record.len() * 8 * 4);
    let taken = (0..10)
        .filter(|_| lane.push(&record, Urgency::Stranger).is_ok())
        .count();
    assert_eq!((taken, lane.lost()), (4, 6));
    wait_for(&lane, &record);
    assert_eq!(lane.taken(), 5, "what is lost is not taken");
}

#[test]
fn a07_a_writer_that_is_gone_refuses_those_who_wait_and_those_who_come() {
    let (lane, record, mut out) = (strict(1 << 20), record(), Lines::default());
    let one = wait_for(&lane, &record);
    lane.nudge(&one);
    taken(&lane, &mut out);
    let two = wait_for(&lane, &record);
    lane.writer_gone();
    assert_eq!(now(one.written()), Some(Err(Failure::Closed)));
    assert_eq!(now(two.written()), Some(Err(Failure::Closed)));
    assert_eq!(
        lane.push(&record, Urgency::Soon).unwrap_err(),
        Refusal::Failed(Failure::Closed)
    );
    lane.close(Duration::ZERO);
    assert_eq!(lane.standing(), Standing::Failing);
}

#[test]
fn a06_a_write_that_does_not_return_refuses_after_the_wait_and_then_at_once() {
    let (lane, record, mut out) = (strict(1 << 20), record(), Lines::default());
    let one = wait_for(&lane, &record);
    lane.nudge(&one);
    let batch = taken(&lane, &mut out);
    let two = wait_for(&lane, &record);
    std::thread::scope(|scope| {
        scope.spawn(|| lane.watch(Duration::from_millis(1)));
        while lane.standing() == Standing::Well {
            std::thread::yield_now();
        }
        assert_eq!(now(one.written()), Some(Err(Failure::TimedOut)));
        assert_eq!(now(two.written()), Some(Err(Failure::TimedOut)));
        let refused = lane.push(&record, Urgency::Now).unwrap_err();
        assert_eq!(refused, Refusal::Failed(Failure::TimedOut));
        lane.written(&batch);
        assert_eq!(lane.standing(), Standing::Well, "it returned at last");
        lane.writer_gone();
    });
}

#[test]
fn a_lane_that_is_lenient_lets_pass_those_who_wait_and_counts_them() {
    let (record, mut out) = (record(), Lines::default());
    let lane = Lane::new(record.len() * 5 / 2, Duration::from_secs(30));
    let one = wait_for(&lane, &record);
    lane.nudge(&one);
    let batch = taken(&lane, &mut out);
    lane.failed(io::ErrorKind::StorageFull);
    assert_eq!(now(one.written()), Some(Ok(())));
    assert_eq!(lane.standing(), Standing::Continuing);
    for _ in 0..3 {
        assert!(lane.push(&record, Urgency::Now).unwrap().is_none());
    }
    assert_eq!(lane.unrecorded(), 2, "one found room");
    let lapse = lane.written(&batch).unwrap().end().unwrap();
    assert_eq!((lapse.passed, lapse.lost), (4, 2));
    assert_eq!(lane.standing(), Standing::Well);
}

#[test]
fn a07_a_writer_that_is_gone_is_no_reason_to_be_lenient() {
    let (lane, record) = (Lane::new(1 << 20, Duration::from_secs(30)), record());
    let one = wait_for(&lane, &record);
    lane.writer_gone();
    assert_eq!(now(one.written()), Some(Err(Failure::Closed)));
    assert!(lane.push(&record, Urgency::Now).is_err());
    assert_eq!(lane.standing(), Standing::Failing);
}
