//! The state of one process: its contract, its bounds, and what it never takes for new.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::memory::Room;
use super::{Charge, MemoryState, SharedState, StateError, Taken, contract};
use crate::model::{Digest, UnixTime};

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
const LIFE: Duration = Duration::from_secs(300);

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

#[tokio::test]
async fn the_state_of_a_process_keeps_the_contract() {
    let now = Cell::new(START);
    let after = async |time| {
        now.set(now.get().plus(time));
        now.get()
    };
    contract::is_kept_by(Arc::new(MemoryState::since(START)), after).await;
}

#[tokio::test]
async fn d17_one_owner_fills_its_own_share_only_and_nothing_that_lives_is_let_go() {
    let room = Room {
        shard: 64,
        owner: 8,
    };
    let state = MemoryState::with_room(START, room, room);
    let note = async |owner: &str, key: usize, now: UnixTime| {
        let (owner, key) = (digest(owner), digest(&key.to_string()));
        state.insert_once(&owner, &key, now.plus(LIFE), now).await
    };
    for key in 0..8 {
        assert_eq!(note("flood", key, START).await, Ok(true));
    }
    assert_eq!(note("flood", 8, START).await, Err(StateError::Full));
    for key in 0..8 {
        assert_eq!(note("flood", key, START).await, Ok(false), "still known");
    }
    for owner in ["a", "b", "c", "d"] {
        assert_eq!(note(owner, 0, START).await, Ok(true), "others have room");
    }
    let ended = START.plus(LIFE);
    assert_eq!(note("flood", 8, ended).await, Ok(true), "the room is back");
}

#[tokio::test]
async fn d17_what_does_not_fit_is_refused() {
    let room = Room { shard: 2, owner: 2 };
    let state = MemoryState::with_room(START, room, room);
    let mut told = Vec::new();
    for number in 0..200 {
        let owner = digest(&number.to_string());
        let key = digest("key");
        told.push(
            state
                .insert_once(&owner, &key, START.plus(LIFE), START)
                .await,
        );
    }
    let new = told.iter().filter(|told| **told == Ok(true)).count();
    assert_eq!(new, 32, "two in each of sixteen shards");
    let full = told
        .iter()
        .filter(|told| **told == Err(StateError::Full))
        .count();
    assert_eq!(full, 168);
}

#[tokio::test]
async fn d13_a_clock_that_is_set_back_makes_nothing_new() {
    let state = MemoryState::since(START);
    let (owner, key) = (digest("owner"), digest("key"));
    let until = START.plus(LIFE);
    let noted = state.insert_once(&owner, &key, until, START).await;
    assert_eq!(noted, Ok(true));
    let late = until.plus(LIFE);
    let swept = state
        .insert_once(&owner, &digest("other"), late.plus(LIFE), late)
        .await;
    assert_eq!(swept, Ok(true));
    let replayed = state.insert_once(&owner, &key, until, START).await;
    assert_eq!(replayed, Ok(false), "it may have been forgotten");
}

#[tokio::test]
async fn one_owner_fills_its_own_share_of_budgets_only_and_gets_it_back() {
    let room = Room {
        shard: 12,
        owner: 8,
    };
    let state = MemoryState::with_room(START, room, room);
    let take = async |owner: &str, budget: usize, now: UnixTime| {
        let charge = Charge {
            owner: digest(owner),
            budget: Digest::of_parts(&[owner.as_bytes(), &budget.to_be_bytes()]),
            amount: 1,
            most: 1,
            window: LIFE,
        };
        state.take(&[charge], now).await
    };
    for budget in 0..8 {
        assert_eq!(take("flood", budget, START).await, Ok(Taken::All));
    }
    assert_eq!(take("flood", 8, START).await, Err(StateError::Full));
    let again = take("flood", 0, START).await;
    assert!(matches!(again, Ok(Taken::Spent { .. })), "still known");
    for owner in ["a", "b", "c", "d"] {
        assert_eq!(take(owner, 0, START).await, Ok(Taken::All));
    }
    assert_eq!(take("e", 0, START).await, Err(StateError::Full), "in all");
    let ended = START.plus(LIFE);
    assert_eq!(take("flood", 8, ended).await, Ok(Taken::All));
    assert_eq!(take("e", 0, ended).await, Ok(Taken::All));
}
