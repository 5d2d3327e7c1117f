//! How many requests are under way, so that a stopping gateway knows when it is empty.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The count of requests under way.
#[derive(Debug, Clone, Default)]
pub struct InflightCount(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    requests: AtomicUsize,
    emptied: Notify,
}

/// One request under way.
#[derive(Debug)]
pub struct Inflight(InflightCount);

impl InflightCount {
    /// Counts one more until the returned value is dropped.
    pub fn enter(&self) -> Inflight {
        self.0.requests.fetch_add(1, Ordering::AcqRel);
        Inflight(self.clone())
    }

    /// How many there are now.
    pub fn now(&self) -> usize {
        self.0.requests.load(Ordering::Acquire)
    }

    /// Resolves when there are none.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.0.emptied.notified();
            if self.now() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        if self.0.0.requests.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.0.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InflightCount;

    #[tokio::test]
    async fn empty_is_noticed_when_the_last_one_leaves() {
        let count = InflightCount::default();
        let (one, two) = (count.enter(), count.enter());
        drop(one);
        assert_eq!(count.now(), 1);
        let waiting = tokio::spawn({
            let count = count.clone();
            async move { count.emptied().await }
        });
        tokio::task::yield_now().await;
        drop(two);
        waiting.await.unwrap();
    }
}
