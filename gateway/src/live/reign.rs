//! How long one policy is in force, for those who are to stop when it is no more. Never says what a policy allows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::watch;

/// The time in which one policy is in force, through any number of reloads that leave it as it is. Once it is over it
/// never comes back, even if the policy does.
#[derive(Debug)]
pub struct Reign(watch::Sender<bool>);

impl Default for Reign {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Reign {
    /// Another policy is in force.
    pub fn end(&self) {
        self.0.send_replace(true);
    }

    /// Whether another policy is in force.
    pub fn is_over(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until another policy is in force.
    pub async fn over(&self) {
        // It fails without a sender, and that is `self`.
        let _ = self.0.subscribe().wait_for(|is_over| *is_over).await;
    }
}

/// Until when something may go on, whatever it does then.
#[derive(Debug, Clone)]
pub struct Until {
    /// At this moment it is over. A step of the system's clock after it was set does not move it.
    pub at: Instant,
    /// Once this is over, it is over as well.
    pub reign: Option<Arc<Reign>>,
}

impl Until {
    /// Waits until it is over.
    pub async fn over(self) {
        let timer = tokio::time::sleep_until(self.at.into());
        match &self.reign {
            Some(reign) => tokio::select! {
                () = timer => {}
                () = reign.over() => {}
            },
            None => timer.await,
        }
    }
}

/// The wait for an end, beneath something that is polled: once it has come, it stays.
pub struct Ending(Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>);

impl Ending {
    /// The end of what goes on `until` then.
    pub fn of(until: Until) -> Self {
        Self(Some(Box::pin(until.over())))
    }

    /// Ready once the end has come.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(wait) = &mut self.0 {
            std::task::ready!(wait.as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending")
            .field("has_come", &self.0.is_none())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Ending, Reign, Until};

    const LATER: Duration = Duration::from_secs(3600);

    fn until(at: Instant, reign: Option<&Arc<Reign>>) -> Until {
        Until {
            at,
            reign: reign.cloned(),
        }
    }

    #[tokio::test]
    async fn x08_what_waits_is_woken_when_the_policy_is_another_and_stays_over() {
        let reign = Arc::new(Reign::default());
        let mut ending = Ending::of(until(Instant::now() + LATER, Some(&reign)));
        assert!(!reign.is_over());
        let (waited, ()) = tokio::join!(
            async {
                poll_fn(|context| ending.poll(context)).await;
                poll_fn(|context| ending.poll(context)).await;
                reign.is_over()
            },
            async {
                tokio::task::yield_now().await;
                reign.end();
            }
        );
        assert!(waited && reign.is_over());
        until(Instant::now() + LATER, Some(&reign)).over().await;
    }

    #[tokio::test]
    async fn x08_what_no_policy_ends_waits_for_its_moment() {
        let reign = Arc::new(Reign::default());
        for reign in [None, Some(&reign)] {
            let at = Instant::now() + Duration::from_millis(30);
            let mut ending = Ending::of(until(at, reign));
            poll_fn(|context| ending.poll(context)).await;
            assert!(Instant::now() >= at);
        }
        let open = until(Instant::now() + LATER, Some(&reign)).over();
        let short = Duration::from_millis(30);
        assert!(tokio::time::timeout(short, open).await.is_err());
    }
}
