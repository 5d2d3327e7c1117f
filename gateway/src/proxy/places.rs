//! How many connections there are, in all and of one source. Never looks at what is sent on one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::proxy::throttle::network;
use crate::telemetry::Metrics;

/// How long a full house waits at most before it asks again how many it may hold: a reload may have changed that.
const LOOK: Duration = Duration::from_secs(1);

/// The connections there are.
#[derive(Debug, Clone)]
pub struct Places(Arc<House>);

#[derive(Debug)]
struct House {
    taken: Mutex<Taken>,
    freed: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    /// INVARIANT: no entry is 0, so that there are never more entries than connections.
    sources: HashMap<IpAddr, u32>,
}

/// One connection, until it is dropped.
#[derive(Debug)]
pub struct Place {
    house: Arc<House>,
    source: IpAddr,
}

impl Places {
    /// None is taken.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(House {
            taken: Mutex::default(),
            freed: Notify::new(),
            metrics,
        }))
    }

    /// Resolves when fewer than `limit` are taken.
    pub async fn room(&self, limit: impl Fn() -> u32) {
        loop {
            // Made before the look, so that a place given back between the look and the wait still wakes this.
            let freed = self.0.freed.notified();
            if self.0.lock().all < limit() {
                return;
            }
            let _ = tokio::time::timeout(LOOK, freed).await;
        }
    }

    /// One more for `source`, unless it has `limit`.
    pub fn take(&self, source: IpAddr, limit: u32) -> Option<Place> {
        let source = network(source);
        let mut taken = self.0.lock();
        let has = taken.sources.get(&source).copied().unwrap_or_default();
        if has >= limit {
            return None;
        }
        taken.sources.insert(source, has.saturating_add(1));
        taken.all = taken.all.saturating_add(1);
        self.0.metrics.connections(taken.all);
        drop(taken);
        Some(Place {
            house: Arc::clone(&self.0),
            source,
        })
    }
}

impl House {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.house.lock();
        taken.all = taken.all.saturating_sub(1);
        self.house.metrics.connections(taken.all);
        let left = taken.sources.get(&self.source).copied().unwrap_or_default();
        match left {
            0 | 1 => drop(taken.sources.remove(&self.source)),
            more => drop(taken.sources.insert(self.source, more.saturating_sub(1))),
        }
        drop(taken);
        self.house.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::Places;
    use crate::telemetry::Metrics;

    fn places() -> Places {
        Places::new(Arc::new(Metrics::new(&[], &[]).unwrap()))
    }

    fn source(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn limit_connections_per_source_at_and_past_the_bound() {
        let (places, one, other) = (places(), source("192.0.2.1"), source("192.0.2.2"));
        let first = places.take(one, 2);
        let second = places.take(one, 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.take(one, 2).is_none(), "one past the bound");
        assert!(places.take(other, 2).is_some(), "another source");
        drop(first);
        assert!(places.take(one, 2).is_some(), "a place was given back");
    }

    #[test]
    fn h25_one_host_cannot_be_many_sources() {
        let places = places();
        let _held = places.take(source("2001:db8:1:2::1"), 1).unwrap();
        assert!(places.take(source("2001:db8:1:2:ffff::1"), 1).is_none());
        assert!(places.take(source("2001:db8:1:3::1"), 1).is_some());
    }

    #[test]
    fn h25_sources_that_left_are_forgotten() {
        let places = places();
        for host in 0..1000_u32 {
            drop(places.take(IpAddr::from(host.to_be_bytes()), 1));
        }
        assert!(places.0.lock().sources.is_empty());
        assert_eq!(places.0.lock().all, 0);
    }

    #[tokio::test]
    async fn limit_connections_at_and_past_the_bound() {
        let (places, from) = (places(), source("192.0.2.1"));
        let first = places.take(from, 9);
        assert!(places.room(|| 2).now_or_never().is_some());
        let _second = places.take(from, 9);
        assert!(places.room(|| 2).now_or_never().is_none(), "full");
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.room(|| 2).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        waiting.await.unwrap();
    }
}
