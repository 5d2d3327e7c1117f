//! How many attempts to authenticate may fail in a second: for one source address, and for all together. Never looks
//! at what a client says about itself.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::config::Limits;

/// Counts failed attempts. Its memory is fixed, whoever calls.
#[derive(Debug)]
pub struct Throttle {
    start: Instant,
    /// Chosen at random, so that nobody can pick an address that shares a place with another's.
    hasher: RandomState,
    all: Bucket,
    sources: Box<[Bucket]>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            hasher: RandomState::new(),
            all: Bucket::default(),
            sources: (0..PLACES).map(|_| Bucket::default()).collect(),
        }
    }
}

impl Throttle {
    /// Whether so many attempts failed that nothing more is verified for `source` at `now`.
    pub fn is_past(&self, source: Option<IpAddr>, limits: &Limits, now: Instant) -> bool {
        let now = self.nanoseconds(now);
        let is_past = |bucket: &Bucket, limit| bucket.is_empty(limit, now);
        is_past(&self.all, limits.failures)
            || self
                .place(source)
                .is_some_and(|bucket| is_past(bucket, limits.failures_per_source))
    }

    /// An attempt of `source` failed at `now`.
    pub fn failed(&self, source: Option<IpAddr>, limits: &Limits, now: Instant) {
        let now = self.nanoseconds(now);
        self.all.take(limits.failures, now);
        if let Some(bucket) = self.place(source) {
            bucket.take(limits.failures_per_source, now);
        }
    }

    fn place(&self, source: Option<IpAddr>) -> Option<&Bucket> {
        let hash = self.hasher.hash_one(source.map(network));
        let place = usize::try_from(hash % PLACES).ok()?;
        self.sources.get(place)
    }

    fn nanoseconds(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Who counts as one source: an IPv4 address, or the network of 64 bits that one IPv6 host can choose its addresses in.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// A second's worth of attempts that fills up evenly (the generic cell rate algorithm): the moment at which it is full
/// again, in nanoseconds.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl Bucket {
    fn is_empty(&self, limit: u32, now: u64) -> bool {
        let missing = self.0.load(Ordering::Relaxed).saturating_sub(now);
        missing.saturating_add(interval(limit)) > SECOND
    }

    /// Takes one out. What was under way at the same moment is paid for later, but never for longer than a second:
    /// two seconds without failures make up for all before.
    fn take(&self, limit: u32, now: u64) {
        let emptied = now.saturating_add(2 * SECOND);
        let taken = |full: u64| Some(full.max(now).saturating_add(interval(limit)).min(emptied));
        // The closure always has an answer, so there is no error.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
    }
}

/// The time in which one attempt more is allowed.
fn interval(limit: u32) -> u64 {
    SECOND / u64::from(limit.max(1))
}

const SECOND: u64 = 1_000_000_000;
/// Two sources that share a place share its limit. With the limit for all there are never many places in use.
const PLACES: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use super::Throttle;
    use crate::config::Limits;

    fn limits() -> Limits {
        Limits {
            failures_per_source: 10,
            failures: 25,
            ..Limits::default()
        }
    }

    fn source(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Fails for as long as it may; the number of attempts.
    fn exhaust(throttle: &Throttle, from: &str, now: Instant) -> usize {
        let mut attempts = 0;
        while !throttle.is_past(Some(source(from)), &limits(), now) {
            throttle.failed(Some(source(from)), &limits(), now);
            attempts += 1;
        }
        attempts
    }

    #[test]
    fn j60_a_source_has_a_second_s_worth_of_failures_and_no_more() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        assert_eq!(exhaust(&throttle, "192.0.2.1", now), 10);
        assert_eq!(exhaust(&throttle, "192.0.2.2", now), 10, "another source");
    }

    /// Whether each of `attempts` is looked at, when all of them fail at once.
    fn looked_at(attempts: u8, limits: &Limits) -> Vec<bool> {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let from = Some(source("192.0.2.1"));
        let attempt = |_| {
            let is_past = throttle.is_past(from, limits, now);
            throttle.failed(from, limits, now);
            !is_past
        };
        (0..attempts).map(attempt).collect()
    }

    #[test]
    fn limit_failures_per_source_at_and_past_the_bound() {
        for bound in [1, 2, 10] {
            let limits = Limits {
                failures_per_source: bound,
                ..Limits::default()
            };
            let count = u8::try_from(bound).unwrap();
            assert!(looked_at(count, &limits).into_iter().all(|is_seen| is_seen));
            assert_eq!(looked_at(count + 1, &limits).last(), Some(&false));
        }
    }

    #[test]
    fn limit_failures_at_and_past_the_bound() {
        for bound in [1, 2, 25] {
            let limits = Limits {
                failures: bound,
                ..Limits::default()
            };
            let count = u8::try_from(bound).unwrap();
            assert!(looked_at(count, &limits).into_iter().all(|is_seen| is_seen));
            assert_eq!(looked_at(count + 1, &limits).last(), Some(&false));
        }
    }

    #[test]
    fn j60_the_share_of_a_source_comes_back_evenly() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        exhaust(&throttle, "192.0.2.1", now);
        let later = |millis| now + Duration::from_millis(millis);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(99)), 0);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(100)), 1);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(600)), 5);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(5000)), 10);
    }

    #[test]
    fn j60_failures_that_were_under_way_at_once_are_paid_for_with_a_second_at_most() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..15 {
            throttle.failed(Some(source("192.0.2.1")), &limits(), now);
        }
        let later = |millis| now + Duration::from_millis(millis);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(500)), 0);
        assert_eq!(exhaust(&throttle, "192.0.2.1", later(600)), 1);

        for _ in 0..1000 {
            throttle.failed(Some(source("192.0.2.2")), &limits(), now);
        }
        let is_past =
            |millis| throttle.is_past(Some(source("192.0.2.2")), &limits(), later(millis));
        assert!(is_past(1099) && !is_past(1100), "a second in debt");
    }

    #[test]
    fn j60_all_sources_together_have_a_limit_of_their_own() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let attempts: usize = (0..50)
            .map(|host| exhaust(&throttle, &format!("198.51.100.{host}"), now))
            .sum();
        assert_eq!(attempts, 25);
        assert!(throttle.is_past(Some(source("203.0.113.1")), &limits(), now));
    }

    #[test]
    fn j60_one_host_cannot_be_many_sources() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        exhaust(&throttle, "2001:db8:1:2::1", now);
        let is_past = |text| throttle.is_past(Some(source(text)), &limits(), now);
        assert!(is_past("2001:db8:1:2:ffff:ffff:ffff:ffff"), "the same /64");
        assert!(!is_past("2001:db8:1:3::1"), "another /64");
        exhaust(&throttle, "192.0.2.1", now);
        assert!(is_past("::ffff:192.0.2.1"), "the same address, mapped");
    }

    #[test]
    fn j60_a_limit_of_one_is_one() {
        let limits = Limits {
            failures_per_source: 1,
            ..limits()
        };
        let (throttle, now) = (Throttle::default(), Instant::now());
        let from = Some(source("192.0.2.1"));
        assert!(!throttle.is_past(from, &limits, now));
        throttle.failed(from, &limits, now);
        assert!(throttle.is_past(from, &limits, now));
        assert!(!throttle.is_past(from, &limits, now + Duration::from_secs(1)));
    }

    #[test]
    fn p09_what_is_kept_does_not_grow_with_the_sources() {
        let throttle = Throttle::default();
        let places = throttle.sources.len();
        for host in 0..100_000_u32 {
            let from = Some(IpAddr::from(host.to_be_bytes()));
            throttle.failed(from, &limits(), Instant::now());
        }
        assert_eq!(throttle.sources.len(), places);
    }
}
