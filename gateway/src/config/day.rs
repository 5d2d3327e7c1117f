//! Days of the calendar in UTC, as the configuration writes them. Never reads the clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::UnixTime;

use super::review::Review;
use super::tree::Text;

/// A day from its first moment to the first of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    start: UnixTime,
    end: UnixTime,
}

impl Day {
    /// The day that `text` names, like `2027-01-31`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let date: Date = text.parse().ok()?;
        // The parser also takes a date with a time behind it.
        let is_plain = date.to_string() == text;
        let day = Self {
            start: midnight(date)?,
            end: midnight(date.tomorrow().ok()?)?,
        };
        is_plain.then_some(day)
    }

    /// Its first moment.
    pub(crate) const fn start(self) -> UnixTime {
        self.start
    }

    /// The first moment after it.
    pub(crate) const fn end(self) -> UnixTime {
        self.end
    }
}

fn midnight(date: Date) -> Option<UnixTime> {
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    let seconds = u64::try_from(midnight.timestamp().as_second()).ok()?;
    Some(UnixTime::from_seconds(seconds))
}

/// The day that stands at `written`.
pub(crate) fn day(written: &Text, review: &mut Review<'_>) -> Option<Day> {
    let day = Day::parse(&written.value);
    if day.is_none() {
        review.report(
            written.at,
            "bad-date",
            format!("`{}` is not a date", written.value),
            "write a day like `2027-01-31`",
        );
    }
    day
}
