//! How often one token is used, before its end and after it, and whose it is. Holds no token: a digest finds it.

use std::sync::Arc;
use std::time::Duration;

use super::baseline::Window;
use crate::audit::names::Names;
use crate::identity::Principal;
use crate::model::UnixTime;

/// The uses of a token that was proven.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) principal: Arc<Principal>,
    pub(super) names: Option<Arc<Names>>,
    /// Uses after its end.
    pub(super) ended: Window,
    first: UnixTime,
    window: UnixTime,
    uses: u64,
    before: u64,
    is_told: bool,
}

impl Token {
    /// One that is used for the first time.
    pub(super) const fn new(
        principal: Arc<Principal>,
        names: Option<Arc<Names>>,
        at: UnixTime,
    ) -> Self {
        Self {
            principal,
            names,
            ended: Window::new(at),
            first: at,
            window: at,
            uses: 0,
            before: 0,
            is_told: false,
        }
    }

    /// Counts a use. How many there are in this window and how many are usual, when that is `factor` times as many and
    /// more than `calls`: once a window.
    pub(super) fn used(
        &mut self,
        (calls, factor): (u32, u32),
        span: Duration,
        at: UnixTime,
    ) -> Option<(u64, f64)> {
        if at.since(self.window) >= span {
            self.before = self.before.saturating_add(self.uses);
            (self.window, self.uses, self.is_told) = (at, 0, false);
        }
        self.uses = self.uses.saturating_add(1);
        let past = self.window.since(self.first).as_secs_f64() / span.as_secs_f64();
        if past < PAST || self.is_told || self.uses <= calls.into() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "nobody uses a token so often")]
        let (uses, usual) = (self.uses as f64, self.before as f64 / past);
        self.is_told = uses > f64::from(factor) * usual;
        self.is_told.then_some((self.uses, usual))
    }
}

/// Windows before the first of which nothing can be said.
const PAST: f64 = 3.0;
