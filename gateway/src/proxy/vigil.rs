//! How long a connection may take over what it sends, as a whole and not read by read: a byte now and then does not
//! keep it. Never reads a request; the body of one has a time of its own.

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::proxy::frames::Frames;
use crate::proxy::guard::Connection;

/// What one connection waits for, and until when.
#[derive(Debug)]
pub(crate) struct Vigil {
    head: Duration,
    idle: Duration,
    awaits: Awaits,
    speech: Speech,
    heard: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// The rest of a head, or the first byte of the first request.
    Head(Instant),
    /// The first byte of a further request.
    Next(Instant),
    /// Nothing: a request is under way.
    Nothing,
}

#[derive(Debug)]
enum Speech {
    Http1,
    Http2(Frames),
}

/// What was heard since the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Bytes,
    /// The client went away.
    End,
}

impl Vigil {
    /// A connection that was accepted at `now`.
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            head: limits.head_timeout,
            idle: limits.idle_timeout,
            awaits: Awaits::Head(now + limits.head_timeout),
            speech: Speech::Http1,
            heard: Heard::Nothing,
        }
    }

    /// It speaks HTTP/2.
    pub(crate) fn speaks_http2(&mut self) {
        self.speech = Speech::Http2(Frames::new());
    }

    /// These bytes came.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.heard = Heard::End;
            return;
        }
        if let Speech::Http2(frames) = &mut self.speech {
            frames.heard(bytes, Instant::now());
            if frames.is_greeted() {
                self.awaits = Awaits::Nothing;
            }
            return;
        }
        self.heard = Heard::Bytes;
        if let Awaits::Next(_) = self.awaits {
            self.awaits = Awaits::Head(Instant::now() + self.head);
        }
    }

    /// Whether the client floods, so that nothing more of it is to be heard.
    pub(crate) const fn is_flood(&self) -> bool {
        match &self.speech {
            Speech::Http1 => false,
            Speech::Http2(frames) => frames.is_flood(),
        }
    }

    /// The head of an HTTP/1 request is whole.
    pub(crate) const fn arrived(&mut self) {
        self.awaits = Awaits::Nothing;
    }

    /// An HTTP/1 request is over, and another may come.
    pub(crate) fn rests(&mut self) {
        self.heard = Heard::Nothing;
        self.awaits = Awaits::Next(Instant::now() + self.idle);
    }

    /// Whether bytes came that did not become a request, from a client that is still there.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(self.awaits, Awaits::Head(_)) && self.heard == Heard::Bytes
    }

    /// Whether it waits for a further request, of which nothing came.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.awaits, Awaits::Next(_))
    }

    /// When the connection has taken too long; never while a request is under way.
    fn deadline(&self) -> Option<Instant> {
        let began = match &self.speech {
            Speech::Http1 => None,
            Speech::Http2(frames) => frames.since(),
        };
        match self.awaits {
            Awaits::Head(until) | Awaits::Next(until) => Some(until),
            Awaits::Nothing => began.map(|since| since + self.head),
        }
    }
}

/// Serves one connection; `None` when it took too long.
pub(crate) async fn keep<F: Future>(serving: F, connection: &Connection) -> Option<F::Output> {
    let mut serving = pin!(serving);
    let mut timer = pin!(None::<tokio::time::Sleep>);
    std::future::poll_fn(|context| {
        if let Poll::Ready(served) = serving.as_mut().poll(context) {
            return Poll::Ready(Some(served));
        }
        loop {
            // It changes while `serving` is polled: no other task has to wake this one.
            let Some(deadline) = connection.vigil(|vigil| vigil.deadline()) else {
                return Poll::Pending;
            };
            if deadline <= Instant::now() {
                return Poll::Ready(None);
            }
            // A timer that rings too early is set anew then: most requests touch none.
            let rings = timer.as_ref().as_pin_ref().map(|timer| timer.deadline());
            if rings.is_none_or(|rings| rings > deadline.into()) {
                timer.set(Some(tokio::time::sleep_until(deadline.into())));
            }
            let running = timer.as_mut().as_pin_mut();
            if running.is_some_and(|running| running.poll(context).is_pending()) {
                return Poll::Pending;
            }
            timer.set(None);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Vigil, keep};
    use crate::config::Limits;
    use crate::proxy::guard::Connection;

    const SHORT: Duration = Duration::from_millis(50);
    const AGES: Duration = Duration::from_secs(3600);

    fn limits(head: Duration, idle: Duration) -> Limits {
        Limits {
            head_timeout: head,
            idle_timeout: idle,
            ..Limits::default()
        }
    }

    fn deadline_in(vigil: &Vigil) -> Option<Duration> {
        let deadline = vigil.deadline();
        deadline.map(|at| at.saturating_duration_since(Instant::now()))
    }

    #[test]
    fn h20_a_head_has_one_time_however_often_a_byte_of_it_comes() {
        let start = Instant::now();
        let mut vigil = Vigil::new(&limits(AGES, SHORT), start);
        for _ in 0..3 {
            vigil.heard(b"G");
            assert_eq!(vigil.deadline(), Some(start + AGES));
        }
        vigil.arrived();
        vigil.heard(b"the body");
        assert_eq!(vigil.deadline(), None);
    }

    #[test]
    fn h20_a_further_request_has_the_idle_time_to_begin_and_then_that_of_a_head() {
        let mut vigil = Vigil::new(&limits(AGES, SHORT), Instant::now());
        vigil.arrived();
        vigil.rests();
        assert!(deadline_in(&vigil).unwrap() <= SHORT);
        vigil.heard(b"G");
        let first = vigil.deadline();
        assert!(deadline_in(&vigil).unwrap() > SHORT);
        vigil.heard(b"E");
        assert_eq!(vigil.deadline(), first);
    }

    #[test]
    fn h20_an_http2_client_has_a_time_for_its_preface_and_for_every_head() {
        let start = Instant::now();
        let mut vigil = Vigil::new(&limits(AGES, SHORT), start);
        vigil.speaks_http2();
        vigil.heard(&[0; 23]);
        assert_eq!(vigil.deadline(), Some(start + AGES));
        vigil.heard(&[0]);
        assert_eq!(vigil.deadline(), None);
        vigil.heard(&[0, 0, 1, 1, 0, 0, 0, 0, 1, 7]);
        assert!(deadline_in(&vigil).unwrap() > SHORT);
    }

    #[test]
    fn only_bytes_of_a_client_that_is_there_are_unread() {
        let mut vigil = Vigil::new(&limits(AGES, AGES), Instant::now());
        assert!(!vigil.is_unread(), "nothing came");
        vigil.heard(b"GET nonsense");
        assert!(vigil.is_unread());
        vigil.heard(b"");
        assert!(!vigil.is_unread(), "the client went away");
    }

    #[tokio::test]
    async fn h20_a_connection_is_cut_at_its_time_and_one_that_serves_is_not() {
        let connection = Arc::new(Connection::new(&limits(SHORT, AGES)));
        let began = Instant::now();
        assert_eq!(keep(std::future::pending::<()>(), &connection).await, None);
        assert!(began.elapsed() >= SHORT);

        let connection = Arc::new(Connection::new(&limits(SHORT, AGES)));
        let serving = async {
            connection.vigil(Vigil::arrived);
            tokio::time::sleep(SHORT * 3).await;
            connection.vigil(Vigil::rests);
            tokio::time::sleep(SHORT * 3).await;
            1
        };
        assert_eq!(keep(serving, &connection).await, Some(1));
    }
}
