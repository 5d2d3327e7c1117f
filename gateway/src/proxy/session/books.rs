//! What went on in one session, in hashes with the session's own key: which ids mean what, what the server asked, which
//! events passed. Everything has a bound; nothing that a client or a server said is kept.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::mcp::Listing;

/// How many ids of list requests are remembered. Every one of them names its list to the end of the session.
pub(super) const LISTS: usize = 4096;
/// How many requests of a server may wait for their answer.
pub(super) const QUESTIONS: usize = 1024;
/// How many events may be resumed after: the last ones.
pub(super) const EVENTS: usize = 4096;

/// The hash of an id.
pub(super) type Mark = u64;

/// The books of one session.
#[derive(Debug, Default)]
pub(super) struct Books {
    under_way: HashSet<Mark>,
    lists: HashMap<Mark, Listing>,
    questions: HashSet<Mark>,
    events: HashSet<Mark>,
    in_order: VecDeque<Mark>,
}

impl Books {
    /// Begins a request; false when its id already means something else. What asks for a list is the only request of
    /// its id for good: no list can come as the answer to anything else.
    pub(super) fn begin(&mut self, id: Mark, asks_for: Option<Listing>) -> bool {
        if self.under_way.contains(&id) {
            return false;
        }
        let is_known = match (self.lists.get(&id), asks_for) {
            (Some(listing), asked) if Some(*listing) != asked => return false,
            (known, _) => known.is_some(),
        };
        if let (Some(listing), false) = (asks_for, is_known) {
            if self.lists.len() >= LISTS {
                return false;
            }
            self.lists.insert(id, listing);
        }
        self.under_way.insert(id)
    }

    /// Ends a request.
    pub(super) fn end(&mut self, id: Mark) {
        self.under_way.remove(&id);
    }

    /// Whether a request with this id is under way.
    pub(super) fn is_under_way(&self, id: Mark) -> bool {
        self.under_way.contains(&id)
    }

    /// The server asks; false when it waits for too many answers already.
    pub(super) fn ask(&mut self, id: Mark) -> bool {
        if self.questions.len() >= QUESTIONS && !self.questions.contains(&id) {
            return false;
        }
        self.questions.insert(id);
        true
    }

    /// Takes a question of the server away; false when there is none.
    pub(super) fn take_question(&mut self, id: Mark) -> bool {
        self.questions.remove(&id)
    }

    /// An event with this id passed.
    pub(super) fn pass(&mut self, event: Mark) {
        if !self.events.insert(event) {
            return;
        }
        self.in_order.push_back(event);
        if self.in_order.len() > EVENTS
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.events.remove(&oldest);
        }
    }

    /// Whether an event with this id passed.
    pub(super) fn has_passed(&self, event: Mark) -> bool {
        self.events.contains(&event)
    }
}

#[cfg(test)]
mod tests {
    use super::{Books, EVENTS, LISTS, QUESTIONS};
    use crate::mcp::Listing;

    #[test]
    fn q12_an_id_that_is_under_way_is_free_again_when_its_request_ends() {
        let mut books = Books::default();
        assert!(books.begin(1, None));
        assert!(books.is_under_way(1) && !books.is_under_way(2));
        assert!(!books.begin(1, None));
        assert!(!books.begin(1, Some(Listing::Tools)));
        books.end(1);
        assert!(!books.is_under_way(1));
        assert!(books.begin(1, None));
    }

    #[test]
    fn q12_the_id_of_a_list_request_names_that_list_for_good() {
        let mut books = Books::default();
        assert!(books.begin(1, Some(Listing::Tools)));
        books.end(1);
        assert!(!books.begin(1, None), "a call");
        assert!(!books.begin(1, Some(Listing::Prompts)), "another list");
        assert!(books.begin(1, Some(Listing::Tools)), "the same list");
    }

    #[test]
    fn q12_list_requests_have_a_bound_and_known_ones_still_pass_at_it() {
        let mut books = Books::default();
        for id in 0..LISTS as u64 {
            assert!(books.begin(id, Some(Listing::Tools)), "{id}");
            books.end(id);
        }
        assert!(!books.begin(u64::MAX, Some(Listing::Tools)));
        assert!(books.begin(0, Some(Listing::Tools)));
        assert!(books.begin(u64::MAX, None), "calls have no such bound");
    }

    #[test]
    fn q30_a_question_is_answered_once() {
        let mut books = Books::default();
        assert!(!books.take_question(1), "never asked");
        assert!(books.ask(1));
        assert!(books.take_question(1));
        assert!(!books.take_question(1), "answered");
    }

    #[test]
    fn q30_questions_that_wait_have_a_bound() {
        let mut books = Books::default();
        for id in 0..QUESTIONS as u64 {
            assert!(books.ask(id), "{id}");
        }
        assert!(!books.ask(u64::MAX));
        assert!(books.ask(0), "asked again");
        assert!(books.take_question(0));
        assert!(books.ask(u64::MAX));
    }

    #[test]
    fn x06_the_last_events_are_remembered_and_older_ones_are_not() {
        let mut books = Books::default();
        for event in 0..=EVENTS as u64 {
            books.pass(event);
            books.pass(event);
        }
        assert!(!books.has_passed(0));
        assert!(books.has_passed(1) && books.has_passed(EVENTS as u64));
        assert_eq!((books.events.len(), books.in_order.len()), (EVENTS, EVENTS));
    }
}
