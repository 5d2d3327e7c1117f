//! What is found, and what is not, in times that the test sets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::{Decided, Ended, Finding, Learner, Lookout, Observation};
use crate::audit::anomaly::AnomalyKind;
use crate::config::{AnomalySettings, load};
use crate::decision::Request;
use crate::identity::api_key::NewKey;
use crate::identity::credential::{ApiKeyHeader, present};
use crate::identity::settings::{ApiKeyRow, ApiKeySettings, Audience, DpopSettings};
use crate::identity::{Evidence, NonceKey, Possession, Principal, PrincipalKind, Verifier};
use crate::model::{Clock, Digest, Reason, Secret, ServerName, SystemClock, UnixTime};
use crate::state::MemoryState;

/// Monday, 2026-11-23, 12:00 UTC.
const NOON: u64 = 1_795_435_200;
const DAY: u64 = 86_400;

/// A principal as the front door makes them.
fn principal(subject: &str, kind: PrincipalKind, scopes: &[&str]) -> Arc<Principal> {
    let (key, hash_key) = (NewKey::make().unwrap(), Secret::new("h".repeat(32)));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let created = UnixTime::from_seconds(0);
    let row = ApiKeyRow {
        id: key.id.clone(),
        hash: key.hash(&hash_key),
        subject: subject.to_owned(),
        client: "agent-1".to_owned(),
        roles: Vec::new(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        kind,
        sunset: None,
        created,
    };
    let audience = Audience {
        api_keys: Some(ApiKeySettings {
            keys_file: "keys.yaml".into(),
            hash_key,
            rows: vec![row],
            sunset: UnixTime::from_seconds(u64::from(u32::MAX)),
            digest: Digest::of(b""),
        }),
        ..Audience::new("crm", "https://gw.example/crm/mcp", Vec::new())
    };
    let state = Arc::new(MemoryState::since(created));
    let nonces = NonceKey::random().unwrap();
    let possession = Possession::new(DpopSettings::default(), &nonces, state, Arc::clone(&clock));
    let verifier = Verifier::new(Vec::new(), Vec::new(), Arc::new(possession), clock);
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(key.key.expose()).unwrap();
    headers.insert("x-api-key", value);
    let credential = present(&headers, None, 8192, ApiKeyHeader::Taken).unwrap();
    let evidence = Evidence {
        method: "POST",
        certificate: None,
    };
    let proving = async {
        let unbound = verifier.verify(&credential, &audience).await.unwrap();
        let bound = verifier.bind(&unbound, (&credential, evidence), &audience);
        bound.await.unwrap().principal
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(proving)
}

fn alice() -> Arc<Principal> {
    principal("alice", PrincipalKind::User, &["crm:read"])
}

fn settings() -> AnomalySettings {
    AnomalySettings {
        denials: 3,
        expired: 2,
        calls: 10,
        ..AnomalySettings::default()
    }
}

fn request(at: u64) -> Request {
    Request {
        id: "r".into(),
        source: None,
        at: UnixTime::from_seconds(at),
        server: Some(ServerName::new("crm")),
        names: None,
    }
}

fn call(principal: &Arc<Principal>, tool: &str, at: u64) -> Decided {
    Decided {
        request: request(at),
        principal: Arc::clone(principal),
        token: Some(Digest::of(b"token")),
        tool: Some(tool.into()),
        refusal: None,
    }
}

fn refused(principal: &Arc<Principal>, at: u64) -> Decided {
    Decided {
        refusal: Some(Reason::ToolNotAllowed),
        ..call(principal, "delete", at)
    }
}

fn ended(at: u64) -> Ended {
    Ended {
        request: request(at),
        token: Digest::of(b"token"),
    }
}

fn kinds(found: &[Finding]) -> Vec<AnomalyKind> {
    found.iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_new_tool_is_unusual_once_its_principal_is_known() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    assert_eq!(learner.decided(&call(&alice, "get", NOON)), []);
    assert_eq!(learner.decided(&call(&alice, "put", NOON + DAY - 1)), []);
    let found = learner.decided(&call(&alice, "refund", NOON + DAY));
    assert_eq!(kinds(&found), [AnomalyKind::NewTool]);
    let said = serde_json::to_value(found[0].anomaly()).unwrap();
    assert_eq!(
        said,
        serde_json::json!({ "kind": "new_tool", "first": "refund" })
    );
    for known in ["get", "put", "refund"] {
        assert_eq!(
            learner.decided(&call(&alice, known, NOON + DAY)),
            [],
            "{known}"
        );
    }
    let bob = principal("bob", PrincipalKind::User, &[]);
    assert_eq!(
        learner.decided(&call(&bob, "refund", NOON + DAY)),
        [],
        "bob is new"
    );
    assert_eq!(
        learner.decided(&refused(&alice, NOON + DAY)),
        [],
        "a refused call is no use"
    );
}

#[test]
fn a_new_scope_is_unusual_once_its_principal_is_known() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    learner.decided(&call(&alice, "get", NOON));
    let stronger = principal("alice", PrincipalKind::User, &["crm:read", "crm:admin"]);
    let found = learner.decided(&call(&stronger, "get", NOON + DAY));
    assert_eq!(kinds(&found), [AnomalyKind::NewScope]);
    assert_eq!(found[0].first.as_deref(), Some("crm:admin"));
    assert_eq!(learner.decided(&call(&stronger, "get", NOON + DAY)), []);
    assert_eq!(learner.decided(&call(&alice, "get", NOON + DAY)), []);
}

/// Settings with hours of work from 8 to 18 in UTC.
fn with_hours() -> AnomalySettings {
    let text = "version: 1\npublic_url: https://mcp.example.com\nissuers: [{ name: corp, url: https://auth.example.com }]\nservers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]\naudit: { hours: { from: \"08:00\", to: \"18:00\", zone: UTC } }\n";
    let read = load::parse(text, Path::new("gatewright.yaml"), &|_| None).unwrap();
    read.recording.anomalies
}

#[test]
fn a_person_after_hours_is_unusual_and_told_once_in_a_while() {
    let (alice, mut learner) = (alice(), Learner::new(with_hours()));
    assert_eq!(learner.decided(&call(&alice, "get", NOON)), []);
    let night = NOON + 10 * 3600;
    let found = learner.decided(&call(&alice, "get", night));
    assert_eq!(kinds(&found), [AnomalyKind::AfterHours]);
    assert_eq!(learner.decided(&call(&alice, "get", night + 3599)), []);
    assert_eq!(learner.decided(&call(&alice, "get", night + 3600)).len(), 1);
    let bot = principal("bot", PrincipalKind::Service, &[]);
    assert_eq!(learner.decided(&call(&bot, "get", night)), [], "no person");
    assert_eq!(
        learner.decided(&call(&alice, "get", NOON + DAY)),
        [],
        "the next day"
    );
    let mut always = Learner::new(settings());
    assert_eq!(
        always.decided(&call(&alice, "get", night)),
        [],
        "no hours are set"
    );
}

#[test]
fn so_many_refusals_in_a_window_are_a_burst() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    for at in [NOON, NOON + 30, NOON + 60, NOON + 119] {
        assert_eq!(
            learner.decided(&refused(&alice, at)),
            [],
            "{at}: two a minute"
        );
    }
    let (first, third) = (NOON + 200, NOON + 259);
    assert_eq!(learner.decided(&refused(&alice, first)), []);
    assert_eq!(learner.decided(&refused(&alice, first)), []);
    let found = learner.decided(&refused(&alice, third));
    assert_eq!(kinds(&found), [AnomalyKind::DenialBurst]);
    assert_eq!((found[0].count, found[0].within), (Some(3), Some(60)));
    for _ in 0..10 {
        assert_eq!(
            learner.decided(&refused(&alice, third + 60)),
            [],
            "told already"
        );
    }
    let off = AnomalySettings {
        denials: 0,
        ..settings()
    };
    let mut learner = Learner::new(off);
    let found = (0..100).flat_map(|_| learner.decided(&refused(&alice, NOON)));
    assert_eq!(found.count(), 0, "0 switches it off");
}

#[test]
fn a_token_that_goes_on_after_its_end_is_its_principal_s_and_an_unknown_one_nobody_s() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    assert!(learner.ended(&ended(NOON)).is_none(), "never proven");
    assert!(
        learner.ended(&ended(NOON)).is_none(),
        "however often it comes"
    );
    learner.decided(&call(&alice, "get", NOON));
    assert!(learner.ended(&ended(NOON + 10)).is_none(), "once is usual");
    let (found, whose, _) = learner.ended(&ended(NOON + 11)).unwrap();
    assert_eq!(
        (found.kind, found.count),
        (AnomalyKind::RenewalFailures, Some(2))
    );
    assert_eq!(whose.subject(), "alice");
    assert!(learner.ended(&ended(NOON + 12)).is_none(), "told already");
    let other = Ended {
        token: Digest::of(b"forged"),
        ..ended(NOON + 12)
    };
    assert!(learner.ended(&other).is_none());
}

#[test]
fn a_token_used_far_above_its_past_is_unusual() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    let mut used = |times: usize, at: u64| -> Vec<Finding> {
        let uses = (0..times).flat_map(|_| learner.decided(&call(&alice, "get", at)));
        uses.collect()
    };
    assert_eq!(used(200, NOON), [], "a token without a past may start fast");
    // From here on it has made 202 uses in three minutes.
    assert_eq!(used(1, NOON + 60), []);
    assert_eq!(used(1, NOON + 120), []);
    assert_eq!(used(673, NOON + 180), [], "ten times as many");
    let found = used(500, NOON + 180);
    assert_eq!(kinds(&found), [AnomalyKind::TokenRate]);
    assert_eq!(found[0].count, Some(674));
    assert!((found[0].usual.unwrap() - 67.333).abs() < 0.01, "{found:?}");
}

#[test]
fn few_uses_are_usual_however_quiet_a_token_was() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    learner.decided(&call(&alice, "get", NOON));
    let later = NOON + 3600;
    let found: Vec<_> = (0..10)
        .flat_map(|_| learner.decided(&call(&alice, "get", later)))
        .collect();
    assert_eq!(found, []);
    assert_eq!(
        kinds(&learner.decided(&call(&alice, "get", later))),
        [AnomalyKind::TokenRate]
    );
    let off = AnomalySettings {
        calls: 0,
        ..settings()
    };
    let mut learner = Learner::new(off);
    learner.decided(&call(&alice, "get", NOON));
    let found = (0..100).flat_map(|_| learner.decided(&call(&alice, "get", later)));
    assert_eq!(found.count(), 0, "0 switches it off");
}

#[test]
fn who_was_seen_longest_ago_is_forgotten_and_learned_anew() {
    let few = AnomalySettings {
        principals: 1,
        ..settings()
    };
    let (alice, mut learner) = (alice(), Learner::new(few));
    let bob = principal("bob", PrincipalKind::User, &[]);
    learner.decided(&call(&alice, "get", NOON));
    learner.decided(&call(&bob, "get", NOON));
    assert_eq!(
        learner.decided(&call(&alice, "put", NOON + DAY)),
        [],
        "alice is new again"
    );
    assert_eq!(
        kinds(&learner.decided(&call(&alice, "del", NOON + 2 * DAY))),
        [AnomalyKind::NewTool]
    );
}

#[test]
fn a_principal_that_calls_ever_new_tools_fills_a_bounded_memory() {
    let (alice, mut learner) = (alice(), Learner::new(settings()));
    learner.decided(&call(&alice, "get", NOON));
    let later = NOON + DAY;
    let sprayed = (0..5000).flat_map(|n| learner.decided(&call(&alice, &format!("t{n}"), later)));
    let told = sprayed
        .filter(|finding| finding.kind == AnomalyKind::NewTool)
        .count();
    assert!((1000..1024).contains(&told), "{told}");
}

#[test]
fn what_finds_no_room_is_counted_and_nobody_waits() {
    let (lookout, mut told) = Lookout::new();
    for _ in 0..8192 + 7 {
        lookout.tell(Observation::Ended(ended(NOON)));
    }
    assert_eq!(lookout.dropped(), 7);
    assert!(told.try_recv().is_ok());
    lookout.tell(Observation::Ended(ended(NOON)));
    assert_eq!(lookout.dropped(), 7);
    drop(told);
    lookout.tell(Observation::Ended(ended(NOON)));
    assert_eq!(lookout.dropped(), 8, "nobody watches any more");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_order_of_times_finds_more_than_the_quiet_allows(times in prop::collection::vec(0_u64..7200, 0..400)) {
        let (alice, mut learner) = (alice(), Learner::new(settings()));
        let bursts = times
            .iter()
            .flat_map(|at| learner.decided(&refused(&alice, NOON + at)))
            .filter(|finding| finding.within == Some(Duration::from_secs(60).as_secs()));
        prop_assert!(bursts.count() <= 4);
    }
}
