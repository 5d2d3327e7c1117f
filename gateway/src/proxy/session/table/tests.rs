//! What holds for all sessions together: owners, bounds, and that nothing is left of those that end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;

use super::{Found, Opening, Sessions};
use crate::config::Limits;
use crate::model::{Digest, ServerName, UnixTime};
use crate::proxy::asker::Asker;

const NOW: UnixTime = UnixTime::from_seconds(1_000_000);

fn asker(name: &str) -> Asker {
    let named = |part: &str| Digest::of(format!("{name} {part}").as_bytes());
    Asker {
        person: named("person"),
        maker: named("maker"),
        owner: named("owner"),
        policy: Digest::of(b"policy"),
    }
}

fn limits() -> Limits {
    Limits {
        sessions: 3,
        sessions_per_principal: 2,
        session_idle: Duration::from_secs(60),
        ..Limits::default()
    }
}

fn open(sessions: &Arc<Sessions>, who: &str, upstream: &str, now: UnixTime) -> Option<String> {
    let limits = limits();
    let place = sessions.reserve(&limits, now)?;
    let opened = place.open(&Opening {
        asker: &asker(who),
        server: &ServerName::new("crm"),
        upstream: upstream.as_bytes(),
        limits: &limits,
        now,
    });
    opened.map(|(name, _)| name)
}

fn is_own(sessions: &Sessions, id: &str, who: &str, now: UnixTime) -> bool {
    let found = sessions.find(id.as_bytes(), &asker(who), (limits().session_idle, now));
    matches!(found, Found::Own(_))
}

fn after(seconds: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(seconds))
}

/// Nothing points at a session that is no more.
fn assert_tidy(sessions: &Sessions) {
    let table = sessions.table();
    assert_eq!(table.shelf.len(), table.known_as.len());
    assert_eq!(table.reserved, 0);
}

#[test]
fn x01_a_session_is_its_owners_and_nobody_elses() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "u-1", NOW).unwrap();
    assert!(is_own(&sessions, &id, "alice", NOW));
    let found = sessions.find(id.as_bytes(), &asker("bob"), (limits().session_idle, NOW));
    assert!(matches!(found, Found::Foreign));
    assert!(!is_own(&sessions, "u-1", "alice", NOW), "the server's name");
}

#[test]
fn x01_a_name_that_a_server_gives_to_two_is_no_name() {
    let sessions = Arc::new(Sessions::default());
    let first = open(&sessions, "alice", "u-1", NOW).unwrap();
    assert_eq!(open(&sessions, "bob", "u-1", NOW), None);
    let again = open(&sessions, "alice", "u-1", NOW).unwrap();
    assert!(!is_own(&sessions, &first, "alice", NOW), "it was replaced");
    assert!(is_own(&sessions, &again, "alice", NOW));
    assert_tidy(&sessions);
}

#[test]
fn x03_a_server_may_name_a_session_in_visible_ascii_only() {
    let sessions = Arc::new(Sessions::default());
    let long = "x".repeat(257);
    for bent in ["", "a b", "\u{e9}", "a\tb", long.as_str()] {
        assert_eq!(open(&sessions, "alice", bent, NOW), None, "{bent:?}");
    }
    assert!(open(&sessions, "alice", &"x".repeat(256), NOW).is_some());
    assert_tidy(&sessions);
}

#[test]
fn limit_sessions_at_and_past_the_bound() {
    let sessions = Arc::new(Sessions::default());
    for (who, upstream) in [("a", "1"), ("b", "2")] {
        assert!(open(&sessions, who, upstream, NOW).is_some());
    }
    let place = sessions.reserve(&limits(), NOW).unwrap();
    assert!(
        sessions.reserve(&limits(), NOW).is_none(),
        "one is promised"
    );
    drop(place);
    assert!(open(&sessions, "c", "3", NOW).is_some(), "the last one");
    assert!(open(&sessions, "d", "4", NOW).is_none());
    assert_tidy(&sessions);
}

#[test]
fn limit_sessions_per_principal_ends_the_least_used_of_that_principal() {
    let sessions = Arc::new(Sessions::default());
    let first = open(&sessions, "alice", "1", NOW).unwrap();
    let second = open(&sessions, "alice", "2", NOW).unwrap();
    assert!(is_own(&sessions, &first, "alice", NOW), "at the bound");
    let third = open(&sessions, "alice", "3", NOW).unwrap();
    assert!(!is_own(&sessions, &second, "alice", NOW));
    assert!(is_own(&sessions, &first, "alice", NOW));
    assert!(is_own(&sessions, &third, "alice", NOW));
    assert!(open(&sessions, "bob", "4", NOW).is_some(), "has its own");
    assert_tidy(&sessions);
}

#[test]
fn limit_session_idle_at_and_past_the_bound() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "1", NOW).unwrap();
    assert!(is_own(&sessions, &id, "alice", after(59)));
    assert!(is_own(&sessions, &id, "alice", after(59 + 60)));
    assert!(!is_own(&sessions, &id, "alice", after(59 + 60 + 61)));
    assert_tidy(&sessions);
}

#[test]
fn x09_idle_sessions_make_room() {
    let sessions = Arc::new(Sessions::default());
    for who in ["a", "b", "c"] {
        assert!(open(&sessions, who, who, NOW).is_some());
    }
    assert!(open(&sessions, "d", "d", after(60)).is_none());
    assert!(open(&sessions, "d", "d", after(61)).is_some());
    assert_tidy(&sessions);
}

#[test]
fn x09_nothing_is_left_of_a_million_initialisations() {
    let sessions = Arc::new(Sessions::default());
    for turn in 0..1_000_000_u32 {
        let place = sessions.reserve(&limits(), NOW).unwrap();
        if turn % 1000 == 0 {
            let upstream = format!("u-{turn}");
            let opening = Opening {
                asker: &asker("alice"),
                server: &ServerName::new("crm"),
                upstream: upstream.as_bytes(),
                limits: &limits(),
                now: NOW,
            };
            assert!(place.open(&opening).is_some());
        }
    }
    assert_eq!(sessions.table().shelf.len(), 2);
    assert_tidy(&sessions);
}

#[test]
fn x08_another_policy_ends_sessions_and_the_same_one_does_not() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "1", NOW).unwrap();
    let mut left = sessions.keep_those_of(&Digest::of(b"policy"));
    assert!(is_own(&sessions, &id, "alice", NOW));
    assert!(left.try_recv().is_err());
    let mut left = sessions.keep_those_of(&Digest::of(b"another"));
    assert!(!is_own(&sessions, &id, "alice", NOW));
    assert_eq!(&*left.try_recv().unwrap().upstream, "1");
    assert_tidy(&sessions);
}

#[test]
fn x08_a_session_is_left_at_its_server_when_nothing_is_under_way_in_it_and_once() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "1", NOW).unwrap();
    open(&sessions, "bob", "2", NOW).unwrap();
    let asker = asker("alice");
    let Found::Own(session) = sessions.find(id.as_bytes(), &asker, (limits().session_idle, NOW))
    else {
        panic!("alice's own");
    };
    let mut left = sessions.keep_those_of(&Digest::of(b"another"));
    assert_eq!(&*left.try_recv().unwrap().upstream, "2");
    assert_eq!(
        left.try_recv().err(),
        Some(TryRecvError::Empty),
        "a call is under way"
    );
    drop(session);
    let parting = left.try_recv().unwrap();
    assert_eq!((parting.server.as_str(), &*parting.upstream), ("crm", "1"));
    assert_eq!(left.try_recv().err(), Some(TryRecvError::Disconnected));
}

#[test]
fn x08_a_session_of_an_older_policy_is_unknown_even_before_it_is_swept() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "1", NOW).unwrap();
    let renewed = Asker {
        policy: Digest::of(b"another"),
        ..asker("alice")
    };
    let found = sessions.find(id.as_bytes(), &renewed, (limits().session_idle, NOW));
    assert!(matches!(found, Found::Nothing));
    assert_tidy(&sessions);
}

#[test]
fn x07_a_session_that_ended_is_unknown() {
    let sessions = Arc::new(Sessions::default());
    let id = open(&sessions, "alice", "1", NOW).unwrap();
    let Found::Own(session) =
        sessions.find(id.as_bytes(), &asker("alice"), (limits().session_idle, NOW))
    else {
        panic!("it is alice's");
    };
    sessions.end(&session);
    sessions.end(&session);
    assert!(!is_own(&sessions, &id, "alice", NOW));
    assert_tidy(&sessions);
}
