//! What every kind of shared state has to keep. One function, to be run for each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Charge, SharedState, Taken};
use crate::model::{Digest, UnixTime};

/// Runs the contract; `after` lets a time pass and says what time it is then.
pub(crate) async fn is_kept_by(
    state: Arc<dyn SharedState>,
    after: impl AsyncFn(Duration) -> UnixTime,
) {
    let now = after(Duration::ZERO).await;
    let owner = fresh();
    is_new_once(&*state, &owner, now).await;
    belongs_to_its_owner(&*state, &owner, now).await;
    is_told_to_one_of_a_crowd(&state, now).await;

    let now = after(LIFE * 2 + Duration::from_secs(1)).await;
    let anew = note(&*state, &owner, KEY, (now.plus(LIFE), now)).await;
    assert!(anew, "after its end it may be noted anew");
    assert!(state.remembers_since() <= now);
    keeps_budgets(&state, now, after).await;
}

async fn keeps_budgets(
    state: &Arc<dyn SharedState>,
    now: UnixTime,
    after: impl AsyncFn(Duration) -> UnixTime,
) {
    takes_all_or_nothing(&**state, now).await;
    adds_up_without_wrapping(&**state, now).await;
    gives_the_last_room_to_one_of_a_crowd(state, now).await;
    starts_a_window_with_its_first_charge(&**state, &after).await;
}

async fn takes_all_or_nothing(state: &dyn SharedState, now: UnixTime) {
    let (small, large) = (charge(2), charge(3));
    let both = [large.clone(), small.clone()];
    for _ in 0..2 {
        assert_eq!(state.take(&both, now).await, Ok(Taken::All));
    }
    let spent = Taken::Spent {
        first: 1,
        until: now.plus(LIFE),
    };
    assert_eq!(
        state.take(&both, now).await,
        Ok(spent),
        "the second has no room"
    );
    let alone = std::slice::from_ref(&large);
    assert_eq!(
        state.take(alone, now).await,
        Ok(Taken::All),
        "nothing was taken from the first either"
    );
    let spent = Taken::Spent {
        first: 0,
        until: now.plus(LIFE),
    };
    assert_eq!(state.take(alone, now).await, Ok(spent));
}

async fn adds_up_without_wrapping(state: &dyn SharedState, now: UnixTime) {
    let twice = charge(1);
    let twice = [twice.clone(), twice];
    let taken = state.take(&twice, now).await;
    assert!(
        matches!(taken, Ok(Taken::Spent { first: 1, .. })),
        "charges of one budget are added up: {taken:?}"
    );
    let sum = Charge {
        amount: u64::MAX,
        ..charge(u64::MAX)
    };
    assert_eq!(
        state.take(std::slice::from_ref(&sum), now).await,
        Ok(Taken::All)
    );
    let taken = state.take(&[sum], now).await;
    assert!(
        matches!(taken, Ok(Taken::Spent { .. })),
        "no sum wraps around"
    );
    assert_eq!(state.take(&[], now).await, Ok(Taken::All));
}

async fn gives_the_last_room_to_one_of_a_crowd(state: &Arc<dyn SharedState>, now: UnixTime) {
    let charge = charge(10);
    let asking = (0..32).map(|_| {
        let (state, charge) = (Arc::clone(state), charge.clone());
        tokio::spawn(async move { state.take(&[charge], now).await })
    });
    let told = join_all(asking).await;
    let taken = told
        .into_iter()
        .filter(|told| matches!(told, Ok(Ok(Taken::All))));
    assert_eq!(taken.count(), 10, "as many as there is room for");
}

async fn starts_a_window_with_its_first_charge(
    state: &dyn SharedState,
    after: impl AsyncFn(Duration) -> UnixTime,
) {
    let charge = [charge(1)];
    let first = after(Duration::ZERO).await;
    assert_eq!(state.take(&charge, first).await, Ok(Taken::All));
    let now = after(LIFE / 2).await;
    let spent = Taken::Spent {
        first: 0,
        until: first.plus(LIFE),
    };
    assert_eq!(state.take(&charge, now).await, Ok(spent));
    let now = after(LIFE / 2).await;
    assert_eq!(
        state.take(&charge, now.max(first.plus(LIFE))).await,
        Ok(Taken::All),
        "a new window"
    );
}

/// One of a fresh budget of `most`.
fn charge(most: u64) -> Charge {
    Charge {
        owner: fresh(),
        budget: fresh(),
        amount: 1,
        most,
        window: LIFE,
    }
}

async fn is_new_once(state: &dyn SharedState, owner: &Digest, now: UnixTime) {
    let until = now.plus(LIFE);
    let first = note(state, owner, KEY, (until, now)).await;
    assert!(first, "what nobody noted is new");
    let again = note(state, owner, KEY, (until, now)).await;
    assert!(!again, "and new once");
    let longer = note(state, owner, KEY, (until.plus(LIFE), now)).await;
    assert!(!longer, "whatever its end is said to be");
    let ended = note(state, owner, "ended", (now, now)).await;
    assert!(!ended, "what has ended is not new");
}

async fn belongs_to_its_owner(state: &dyn SharedState, owner: &Digest, now: UnixTime) {
    let until = now.plus(LIFE);
    let of_another = note(state, &fresh(), KEY, (until, now)).await;
    assert!(of_another, "the same key of another owner is another");
    let another = note(state, owner, "another", (until, now)).await;
    assert!(another, "another key of an owner is another");
}

async fn is_told_to_one_of_a_crowd(state: &Arc<dyn SharedState>, now: UnixTime) {
    let owner = fresh();
    let asking = (0..32).map(|_| {
        let state = Arc::clone(state);
        tokio::spawn(async move { note(&*state, &owner, KEY, (now.plus(LIFE), now)).await })
    });
    let told = join_all(asking).await;
    let new = told.into_iter().filter(|told| matches!(told, Ok(true)));
    assert_eq!(new.count(), 1, "of all that ask at once one is told so");
}

async fn note(
    state: &dyn SharedState,
    owner: &Digest,
    key: &str,
    (until, now): (UnixTime, UnixTime),
) -> bool {
    let key = Digest::of(key.as_bytes());
    state.insert_once(owner, &key, until, now).await.unwrap()
}

const KEY: &str = "key";
const LIFE: Duration = Duration::from_secs(1);

/// An owner that no earlier run had.
fn fresh() -> Digest {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = u64::from(std::process::id());
    Digest::of_parts(&[&process.to_be_bytes(), &next.to_be_bytes()])
}
