//! When a request is over because its token is, or because a stream is old or of another policy. Never says so to the
//! client: who is cut here has had the time to be told, or cannot be.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::config::Outliving;
use crate::identity::Principal;
use crate::live::{Reign, Until};
use crate::model::{Reason, UnixTime};
use crate::upstream::peer::Patience;

/// What is left, after the end, to say that it has come.
const LAST_WORDS: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Of the request that this task serves; none while nothing is permitted.
    static CURFEW: Cell<Option<Until>>;
}

/// The end of a request.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) until: Until,
    /// Why it is over at its moment.
    reason: Reason,
}

impl End {
    /// Why it has come, if it has.
    pub(crate) fn has_come(&self) -> Option<Reason> {
        if self
            .until
            .reign
            .as_ref()
            .is_some_and(|reign| reign.is_over())
        {
            return Some(Reason::PolicyChanged);
        }
        (Instant::now() >= self.until.at).then_some(self.reason)
    }
}

/// What the end of a request depends on, beside its principal.
pub(crate) struct Terms<'a> {
    /// Whether it is a stream, and what its server allows.
    pub(crate) manner: (Patience, Outliving),
    /// How long a stream may be open.
    pub(crate) stream_age: Duration,
    /// What it was permitted under.
    pub(crate) reign: &'a Arc<Reign>,
}

/// When a request of `principal` is over; `None` when it may go on.
pub(crate) fn end(principal: &Principal, now: UnixTime, terms: &Terms<'_>) -> Option<End> {
    let left = principal.ends().since(now);
    let (left, reason) = allowance(left, terms.manner, terms.stream_age)?;
    let at = Instant::now().checked_add(left)?;
    // A call under way was permitted as a whole; a stream was permitted for as long as nothing changes.
    let reign = match terms.manner.0 {
        Patience::Endless => Some(Arc::clone(terms.reign)),
        Patience::Limited => None,
    };
    let until = Until { at, reign };
    Some(End { until, reason })
}

/// How long it may go on, and why no longer, when its token lives for as long as is `left`.
fn allowance(
    left: Duration,
    (patience, outliving): (Patience, Outliving),
    stream_age: Duration,
) -> Option<(Duration, Reason)> {
    match (patience, outliving) {
        (Patience::Limited, Outliving::Allowed) => None,
        (Patience::Endless, _) if stream_age < left => Some((stream_age, Reason::StreamTimeout)),
        (Patience::Limited, Outliving::Cut) | (Patience::Endless, _) => {
            Some((left, Reason::TokenExpired))
        }
    }
}

/// Has the request that this task serves cut, a little after it is over.
pub(crate) fn arm(until: Until) {
    // Without the scope of `keep` there is no connection of ours beneath, and nothing to cut.
    let _ = CURFEW.try_with(|curfew| curfew.set(Some(until)));
}

/// Serves one request; `None` when it was cut.
pub(crate) async fn keep<F: Future>(serving: F) -> Option<F::Output> {
    CURFEW.scope(Cell::new(None), race(serving)).await
}

async fn race<F: Future>(serving: F) -> Option<F::Output> {
    let mut serving = pin!(serving);
    let mut timer = pin!(None);
    std::future::poll_fn(|context| {
        if let Poll::Ready(served) = serving.as_mut().poll(context) {
            return Poll::Ready(Some(served));
        }
        // It is armed while `serving` is polled: no other task has to wake this one.
        if let Ok(Some(until)) = CURFEW.try_with(Cell::take) {
            timer.set(Some(late(until)));
        }
        let timer = timer.as_mut().as_pin_mut();
        timer.map_or(Poll::Pending, |timer| timer.poll(context).map(|()| None))
    })
    .await
}

async fn late(until: Until) {
    until.over().await;
    tokio::time::sleep(LAST_WORDS).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{LAST_WORDS, allowance, arm, keep};
    use crate::config::Outliving;
    use crate::live::{Reign, Until};
    use crate::model::Reason;
    use crate::upstream::peer::Patience;

    const AGES: Duration = Duration::from_secs(3600);

    fn at(at: Instant) -> Until {
        Until { at, reign: None }
    }

    #[test]
    fn limit_stream_age_is_for_streams_that_would_be_open_for_longer() {
        let (age, step) = (AGES, Duration::from_millis(1));
        let ending = |manner, left| allowance(left, manner, age);
        for outliving in [Outliving::Cut, Outliving::Allowed] {
            let earlier = age.checked_sub(step).unwrap();
            let stream = |left| ending((Patience::Endless, outliving), left);
            let by_token = |left| Some((left, Reason::TokenExpired));
            assert_eq!(stream(earlier), by_token(earlier));
            assert_eq!(stream(age), by_token(age));
            assert_eq!(stream(age + step), Some((age, Reason::StreamTimeout)));
        }
        let call = (Patience::Limited, Outliving::Cut);
        let longer = age + step;
        assert_eq!(ending(call, longer), Some((longer, Reason::TokenExpired)));
        assert_eq!(
            ending((Patience::Limited, Outliving::Allowed), longer),
            None
        );
    }

    #[tokio::test]
    async fn x11_what_is_served_in_silence_is_cut_a_little_after_its_end() {
        let held = Arc::new(());
        let inside = Arc::clone(&held);
        let began = Instant::now();

        let cut = keep(async move {
            arm(at(Instant::now()));
            tokio::time::sleep(AGES).await;
            drop(inside);
        })
        .await;

        assert_eq!(cut, None);
        assert!(began.elapsed() >= LAST_WORDS, "no time for last words");
        assert_eq!(Arc::strong_count(&held), 1, "what it held is let go");
    }

    #[tokio::test]
    async fn x08_what_is_served_in_silence_is_cut_a_little_after_its_policy() {
        let reign = Arc::new(Reign::default());
        let began = Instant::now();
        let serving = keep(async {
            arm(Until {
                at: Instant::now() + AGES,
                reign: Some(Arc::clone(&reign)),
            });
            tokio::time::sleep(AGES).await;
        });
        let (cut, ()) = tokio::join!(serving, async { reign.end() });
        assert_eq!(cut, None);
        assert!(began.elapsed() >= LAST_WORDS, "no time for last words");
    }

    #[tokio::test]
    async fn what_ends_in_time_is_not_cut() {
        let served = keep(async {
            arm(at(Instant::now() + AGES));
            tokio::task::yield_now().await;
            1
        });
        assert_eq!(served.await, Some(1));
        assert_eq!(keep(async { 2 }).await, Some(2));
    }

    #[tokio::test]
    async fn an_end_concerns_its_own_request_alone() {
        let first = keep(async {
            arm(at(Instant::now()));
            tokio::time::sleep(AGES).await;
        });
        let second = keep(async {
            tokio::time::sleep(LAST_WORDS * 3 / 2).await;
            2
        });
        assert_eq!(tokio::join!(first, second), (None, Some(2)));
    }
}
