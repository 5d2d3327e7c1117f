//! The counts, without a ledger.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Floods;
use crate::audit::part::Tally;
use crate::model::UnixTime;

fn at(second: u64) -> UnixTime {
    UnixTime::from_seconds(second)
}

fn source(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many of `times` refusals are to be recorded.
fn recorded(floods: &Floods, from: &str, times: usize) -> usize {
    (0..times)
        .filter(|_| !floods.counts(Some(source(from))))
        .count()
}

/// What the end of a window puts on record.
fn told(floods: &Floods, lost: u64, now: UnixTime) -> Option<Tally> {
    let mut told = None;
    let ended = floods.end_window(lost, now, |tally| {
        told = Some(tally);
        Ok::<(), ()>(())
    });
    assert_eq!(ended, Ok(()));
    told
}

#[test]
fn p09_of_each_source_the_first_in_a_window_is_recorded_and_the_rest_is_one_exact_number() {
    let floods = Floods::since(at(0));
    assert_eq!(recorded(&floods, "192.0.2.1", 1000), 1);
    assert_eq!(recorded(&floods, "192.0.2.2", 1), 1, "another source");
    let first = Tally {
        since: at(0),
        rate_limited: 999,
        lost: 0,
    };
    assert_eq!(told(&floods, 0, at(60)), Some(first));

    assert_eq!(recorded(&floods, "192.0.2.1", 3), 1, "a new window");
    let second = Tally {
        since: at(60),
        rate_limited: 2,
        lost: 0,
    };
    assert_eq!(told(&floods, 0, at(120)), Some(second));
}

#[test]
fn p09_a_window_in_which_nothing_was_counted_leaves_no_record() {
    let floods = Floods::since(at(0));
    assert_eq!(told(&floods, 0, at(60)), None);
    assert_eq!(recorded(&floods, "192.0.2.1", 1), 1);
    assert_eq!(told(&floods, 0, at(120)), None, "it has its own record");
    assert_eq!(recorded(&floods, "192.0.2.1", 2), 1);
    assert_eq!(told(&floods, 0, at(180)).unwrap().since, at(120));
}

#[test]
fn p09_one_host_that_changes_its_address_has_one_record() {
    let floods = Floods::since(at(0));
    assert_eq!(recorded(&floods, "2001:db8:1:2::1", 1), 1);
    assert_eq!(recorded(&floods, "2001:db8:1:2:ffff::1", 5), 0);
    assert_eq!(recorded(&floods, "2001:db8:1:3::1", 1), 1, "another /64");
}

#[test]
fn p09_what_cannot_be_recorded_stands_in_the_next_tally() {
    let floods = Floods::since(at(0));
    recorded(&floods, "192.0.2.1", 11);
    assert_eq!(floods.end_window(4, at(60), |_| Err("full")), Err("full"));
    recorded(&floods, "192.0.2.1", 6);
    let both = Tally {
        since: at(0),
        rate_limited: 15,
        lost: 7,
    };
    assert_eq!(told(&floods, 7, at(120)), Some(both));
    assert_eq!(told(&floods, 7, at(180)), None, "told once");
}

#[test]
fn p09_records_that_the_ledger_lost_are_told_once() {
    let floods = Floods::since(at(0));
    assert_eq!(told(&floods, 5, at(60)).unwrap().lost, 5);
    assert_eq!(told(&floods, 5, at(120)), None);
    assert_eq!(told(&floods, 6, at(180)).unwrap().lost, 1);
}

#[test]
fn p09_what_is_kept_of_floods_does_not_grow_with_the_sources() {
    let floods = Floods::since(at(0));
    let places = floods.sources.len();
    for host in 0..100_000_u32 {
        floods.counts(Some(IpAddr::from(host.to_be_bytes())));
    }
    assert_eq!(floods.sources.len(), places);
}

#[test]
fn p09_the_sums_are_exact_while_many_count_and_windows_end() {
    const THREADS: u64 = 8;
    const EACH: u64 = 20_000;
    let floods = Floods::since(at(0));
    let (firsts, tallied) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let tell = |tally: Tally| {
        tallied.fetch_add(tally.rate_limited, Ordering::Relaxed);
        Ok::<(), ()>(())
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut second = 0;
            while !is_over.load(Ordering::Acquire) {
                second += 1;
                // Every third record finds no room.
                let ended = floods.end_window(0, at(second), |tally| match second % 3 {
                    0 => Err(()),
                    _ => tell(tally),
                });
                assert!(ended.is_ok() || second % 3 == 0);
                std::thread::yield_now();
            }
        });
        let callers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (floods, firsts) = (&floods, &firsts);
                scope.spawn(move || {
                    for round in 0..EACH {
                        let from = source(&format!("192.0.2.{}", (thread + round) % 5));
                        firsts.fetch_add(u64::from(!floods.counts(Some(from))), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
        is_over.store(true, Ordering::Release);
    });
    assert_eq!(floods.end_window(0, at(1_000_000), tell), Ok(()));
    let sum = firsts.into_inner() + tallied.into_inner();
    assert_eq!(sum, THREADS * EACH);
}

#[test]
fn p09_of_many_at_the_same_moment_one_is_the_first() {
    for _ in 0..50 {
        let floods = Floods::since(at(0));
        let firsts = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let is_counted = floods.counts(Some(source("192.0.2.1")));
                    firsts.fetch_add(u64::from(!is_counted), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(firsts.into_inner(), 1);
        assert_eq!(told(&floods, 0, at(60)).unwrap().rate_limited, 7);
    }
}
