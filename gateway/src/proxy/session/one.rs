//! One session: how its server knows it, whose it is, and its books. Its server's name for it leaves only towards that
//! server.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc::Sender;

use super::books::{Books, Mark};
use crate::mcp::{Listing, Onward, RequestId, Seen};
use crate::model::{Digest, ServerName};

/// One session of one principal at one server.
pub(crate) struct Session {
    /// What it is kept under: the digest of the name that the client has for it.
    pub(super) key: Digest,
    /// The digest of the name that its server has for it, with the server.
    pub(super) known_as: Digest,
    /// Who opened it, and as what.
    pub(super) owner: Digest,
    /// The policy that it was opened under.
    pub(super) policy: Digest,
    server: ServerName,
    upstream: Box<str>,
    /// Who ends it at its server once nothing is under way in it, if anybody is to.
    partings: OnceLock<Sender<Parting>>,
    marks: RandomState,
    books: Mutex<Books>,
}

impl Session {
    pub(super) fn new(
        (key, known_as): (Digest, Digest),
        (owner, policy): (Digest, Digest),
        (server, upstream): (&ServerName, &str),
    ) -> Self {
        Self {
            key,
            known_as,
            owner,
            policy,
            server: server.clone(),
            upstream: upstream.into(),
            partings: OnceLock::new(),
            marks: RandomState::new(),
            books: Mutex::default(),
        }
    }

    /// The name that its server has for it.
    pub(crate) fn upstream_id(&self) -> &str {
        &self.upstream
    }

    /// Has it ended at its server by who hears of `partings`, as soon as nothing is under way in it any more.
    pub(super) fn part(&self, partings: &Sender<Parting>) {
        // Once is enough: what was said first stands.
        let _ = self.partings.set(partings.clone());
    }

    /// Begins a request; `None` when its id already means something else in this session.
    pub(crate) fn begin(
        self: &Arc<Self>,
        id: &RequestId,
        asks_for: Option<Listing>,
    ) -> Option<UnderWay> {
        let mark = self.mark(id);
        let begun = self.books().begin(mark, asks_for);
        begun.then(|| UnderWay {
            session: Arc::clone(self),
            mark,
        })
    }

    /// Whether a request with this id is under way.
    pub(crate) fn is_under_way(&self, id: &RequestId) -> bool {
        self.books().is_under_way(self.mark(id))
    }

    /// The question of the server that is answered; `None` when there is none.
    pub(crate) fn question(self: &Arc<Self>, id: &RequestId) -> Option<Question> {
        let mark = self.mark(id);
        let was_asked = self.books().take_question(mark);
        was_asked.then(|| Question(Some((Arc::clone(self), mark))))
    }

    /// Whether an event with this id passed on one of its streams, not too long ago.
    pub(crate) fn has_passed(&self, event: &str) -> bool {
        self.books().has_passed(self.marks.hash_one(event))
    }

    /// Takes note of what came over an answer or a stream in this session. Who could not answer a request is not asked.
    pub(crate) fn saw(&self, seen: &Seen<'_>) -> Onward {
        match seen {
            Seen::EventId(event) => self.books().pass(self.marks.hash_one(*event)),
            Seen::Request { id, .. } => {
                if !self.books().ask(self.mark(id)) {
                    return Onward::Drop;
                }
            }
            Seen::Response { .. } | Seen::Notification { .. } => {}
        }
        Onward::Pass
    }

    fn mark(&self, id: &RequestId) -> Mark {
        self.marks.hash_one(id.value())
    }

    /// Nothing under this lock can fail half-way: what a panic elsewhere left behind is whole.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(partings) = self.partings.take() {
            // Without who hears, the gateway stops.
            let _ = partings.try_send(Parting {
                server: self.server.clone(),
                upstream: std::mem::take(&mut self.upstream),
                since: Instant::now(),
            });
        }
    }
}

/// A session that is over here and still known to its server.
pub struct Parting {
    pub(crate) server: ServerName,
    /// The name that its server has for it.
    pub(crate) upstream: Box<str>,
    /// Since when nothing is under way in it.
    pub(crate) since: Instant,
}

/// A request that is under way in a session, until this is dropped.
pub(crate) struct UnderWay {
    session: Arc<Session>,
    mark: Mark,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.session.books().end(self.mark);
    }
}

/// A question of a server that is being answered. Dropped without [`Question::answered`], it stands open again.
pub(crate) struct Question(Option<(Arc<Session>, Mark)>);

impl Question {
    /// The answer goes on its way: nobody may give another.
    pub(crate) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some((session, mark)) = self.0.take() {
            session.books().ask(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Session;
    use crate::mcp::{Listing, Onward, RequestId, Seen};
    use crate::model::{Digest, ServerName};
    use crate::proxy::session::books::QUESTIONS;

    fn session() -> Arc<Session> {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let names = (digest("key"), digest("known"));
        Arc::new(Session::new(
            names,
            (digest("owner"), digest("policy")),
            (&ServerName::new("crm"), "u"),
        ))
    }

    fn id(text: &str) -> RequestId {
        RequestId::from_token(text).unwrap()
    }

    #[test]
    fn q12_ids_are_the_same_by_value_and_not_by_spelling() {
        let session = session();
        let under_way = session.begin(&id(r#""a""#), None).unwrap();
        assert!(session.begin(&id(r#""\u0061""#), None).is_none());
        assert!(session.is_under_way(&id(r#""\u0061""#)));
        let number = session.begin(&id("1"), None);
        let string = session.begin(&id(r#""1""#), None);
        assert!(number.is_some() && string.is_some());
        drop(under_way);
        assert!(session.begin(&id(r#""\u0061""#), None).is_some());
    }

    #[test]
    fn q12_an_id_of_a_list_stays_its_own_when_the_request_is_over() {
        let session = session();
        drop(session.begin(&id("3"), Some(Listing::Tools)).unwrap());
        assert!(session.begin(&id("3"), None).is_none());
        assert!(session.begin(&id("3"), Some(Listing::Tools)).is_some());
    }

    #[test]
    fn q30_only_what_was_asked_is_answered_and_once() {
        let session = session();
        let asked = Seen::Request {
            id: &id("5"),
            method: "ping",
        };
        assert!(session.question(&id("5")).is_none());
        assert_eq!(session.saw(&asked), Onward::Pass);
        drop(session.question(&id("5")).unwrap());
        let question = session.question(&id("5")).unwrap();
        assert!(session.question(&id("5")).is_none(), "it is being answered");
        question.answered();
        assert!(session.question(&id("5")).is_none());
    }

    #[test]
    fn q30_a_server_that_asks_too_much_is_not_heard() {
        let session = session();
        for number in 0..QUESTIONS {
            let id = id(&number.to_string());
            let seen = Seen::Request {
                id: &id,
                method: "ping",
            };
            assert_eq!(session.saw(&seen), Onward::Pass);
        }
        let seen = Seen::Request {
            id: &id("-1"),
            method: "ping",
        };
        assert_eq!(session.saw(&seen), Onward::Drop);
    }

    #[test]
    fn x06_only_events_of_this_very_session_passed() {
        let (ours, theirs) = (session(), session());
        assert_eq!(ours.saw(&Seen::EventId("e-1")), Onward::Pass);
        assert!(ours.has_passed("e-1"));
        assert!(!ours.has_passed("e-2") && !ours.has_passed("1"));
        assert!(!theirs.has_passed("e-1"));
    }
}
