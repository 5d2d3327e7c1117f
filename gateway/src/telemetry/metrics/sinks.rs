//! What is counted of the places that records are brought to.

use prometheus::IntCounter;

use super::registry::resolve;
use super::table;
use super::{MetricError, Metrics};
use crate::model::UnixTime;

/// How one sink stands, in sums since the start.
#[derive(Debug, Clone)]
pub struct SinkCounts<'a> {
    /// Its name in the configuration.
    pub sink: &'a str,
    /// Records that it acknowledged.
    pub shipped: u64,
    /// Records that it threw away.
    pub rejected: u64,
    /// Records that it has not acknowledged yet.
    pub waiting: u64,
    /// When it last acknowledged any.
    pub last_success: Option<UnixTime>,
    /// Attempts that failed, by kind.
    pub failures: Vec<(&'static str, u64)>,
}

impl Metrics {
    /// Takes over what is known of a sink.
    ///
    /// # Errors
    /// A row of the table is wrong.
    pub fn sink(&self, counts: &SinkCounts<'_>) -> Result<(), MetricError> {
        let events = self.families.counter(&table::AUDIT_EVENTS)?;
        let event = |result| resolve(&table::AUDIT_EVENTS, &events, &[counts.sink, result]);
        raise(&event("shipped")?, counts.shipped);
        raise(&event("rejected")?, counts.rejected);
        let failures = self.families.counter(&table::SHIP_FAILURES)?;
        for (kind, count) in &counts.failures {
            let labels = [counts.sink, *kind];
            raise(&resolve(&table::SHIP_FAILURES, &failures, &labels)?, *count);
        }
        let gauge = |row| resolve(row, &self.families.gauge(row)?, &[counts.sink]);
        let seconds = counts.last_success.map_or(0, UnixTime::seconds);
        gauge(&table::AUDIT_QUEUE)?.set(whole(counts.waiting));
        gauge(&table::SHIP_LAST_SUCCESS)?.set(whole(seconds));
        Ok(())
    }
}

fn raise(counter: &IntCounter, sum: u64) {
    counter.inc_by(sum.saturating_sub(counter.get()));
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
