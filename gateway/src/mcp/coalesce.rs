//! Notices that a list changed, at most one of a kind in a second. Never loses the last one.

use std::time::{Duration, Instant};

/// What one stream was told of changed lists.
#[derive(Debug, Default)]
pub(super) struct Changes {
    told: [Told; KINDS.len()],
}

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    /// The notice that came too early, as it will be written.
    later: Option<Vec<u8>>,
}

impl Told {
    fn is_due(&self, now: Instant) -> bool {
        self.at
            .is_none_or(|at| now.saturating_duration_since(at) >= APART)
    }
}

impl Changes {
    /// Whether the notice `method` may go out now. Everything else may. One that may not is to be given to [`Self::keep`].
    pub(super) fn admits(&mut self, method: &str, now: Instant) -> bool {
        let Some(told) = self.of(method) else {
            return true;
        };
        if !told.is_due(now) {
            return false;
        }
        told.at = Some(now);
        told.later = None;
        true
    }

    /// Keeps a notice for later, in the place of the one that was kept before.
    pub(super) fn keep(&mut self, method: &str, notice: Vec<u8>) {
        if let Some(told) = self.of(method) {
            told.later = Some(notice);
        }
    }

    /// Writes what was kept long enough.
    pub(super) fn release(&mut self, now: Instant, out: &mut Vec<u8>) {
        for told in self.told.iter_mut().filter(|told| told.is_due(now)) {
            if let Some(notice) = told.later.take() {
                told.at = Some(now);
                out.extend_from_slice(&notice);
            }
        }
    }

    /// Writes all that was kept.
    pub(super) fn release_all(&mut self, out: &mut Vec<u8>) {
        for notice in self.told.iter_mut().filter_map(|told| told.later.take()) {
            out.extend_from_slice(&notice);
        }
    }

    fn of(&mut self, method: &str) -> Option<&mut Told> {
        let at = KINDS.iter().position(|kind| *kind == method)?;
        self.told.get_mut(at)
    }
}

const KINDS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];
const APART: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::{APART, Changes, KINDS};
    use std::time::{Duration, Instant};

    #[test]
    fn s08_one_notice_of_a_kind_goes_out_in_a_second_and_the_last_is_not_lost() {
        let [tools, prompts, _] = KINDS;
        let start = Instant::now();
        let mut changes = Changes::default();
        assert!(changes.admits(tools, start));
        assert!(changes.admits(prompts, start), "another kind");
        for at in 0..1000 {
            let now = start + Duration::from_micros(at);
            assert!(!changes.admits(tools, now));
            changes.keep(tools, vec![u8::try_from(at % 256).unwrap()]);
        }
        let mut out = Vec::new();
        changes.release(start + Duration::from_nanos(999_999_999), &mut out);
        assert!(out.is_empty());
        changes.release(start + APART, &mut out);
        assert_eq!(out, [231], "the last one");
        assert!(!changes.admits(tools, start + APART));
        changes.keep(tools, vec![7]);
        changes.release_all(&mut out);
        assert_eq!(out, [231, 7]);
        assert!(changes.admits(tools, start + APART * 2));
    }

    #[test]
    fn s08_other_messages_are_not_held() {
        let mut changes = Changes::default();
        for _ in 0..3 {
            assert!(changes.admits("notifications/message", Instant::now()));
        }
    }
}
