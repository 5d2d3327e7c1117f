//! The clock. The only file that asks the system for the time.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From whole seconds, as tokens carry them (RFC 7519 NumericDate). Saturates.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This time plus `duration`, at most the largest time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// How much later this is than `earlier`; zero when it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 in UTC with milliseconds: `2026-11-21T09:30:00.000Z`. Years have four digits; later ones are shown as
    /// milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(text) = self.rfc_3339() else {
            return write!(f, "{}ms", self.0);
        };
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl UnixTime {
    fn rfc_3339(self) -> Option<[u8; 24]> {
        let (days, of_day) = (self.0 / DAY, self.0 % DAY);
        let (year, month, day) = civil(days)?;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let [
            y1,
            y2,
            y3,
            y4,
            _,
            m1,
            m2,
            _,
            d1,
            d2,
            _,
            h1,
            h2,
            _,
            n1,
            n2,
            _,
            s1,
            s2,
            _,
            t1,
            t2,
            t3,
            _,
        ] = &mut text;
        put([y1, y2, y3, y4], year);
        put([m1, m2], month);
        put([d1, d2], day);
        put([h1, h2], of_day / 3_600_000);
        put([n1, n2], of_day / 60_000 % 60);
        put([s1, s2], of_day / 1000 % 60);
        put([t1, t2, t3], of_day % 1000);
        Some(text)
    }
}

/// Milliseconds of a day: Unix time has no leap seconds.
const DAY: u64 = 86_400_000;

/// Writes the last digits of `number`.
fn put<const N: usize>(digits: [&mut u8; N], mut number: u64) {
    for digit in digits.into_iter().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01. Counts in years that begin in
/// March, so that the leap day is the last of its year. Checked against a calendar library in the tests.
fn civil(days: u64) -> Option<(u64, u64, u64)> {
    let days = days.checked_add(719_468)?;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year <= 9999).then_some((year, month, day))
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where "now" comes from, so that tests can stand still.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> UnixTime;
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system"
    )]
    fn now(&self) -> UnixTime {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    proptest::proptest! {
        #[test]
        fn a_time_is_shown_as_a_calendar_library_shows_it(millis in 0_u64..253_402_300_800_000) {
            let timestamp = jiff::Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            assert_eq!(UnixTime::from_millis(millis).to_string(), format!("{timestamp:.3}"));
        }
    }

    #[test]
    fn the_ends_of_years_and_of_four_digits_are_shown_right() {
        let shown = |seconds| UnixTime::from_seconds(seconds).to_string();
        assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(shown(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(shown(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(shown(4_107_542_399), "2100-02-28T23:59:59.000Z");
        assert_eq!(shown(4_107_542_400), "2100-03-01T00:00:00.000Z");
        assert_eq!(shown(253_402_300_799), "9999-12-31T23:59:59.000Z");
        assert_eq!(shown(253_402_300_800), "253402300800000ms");
    }

    #[test]
    fn a_time_is_shown_as_rfc_3339_with_milliseconds() {
        assert_eq!(
            UnixTime::from_millis(1_700_000_000_005).to_string(),
            "2023-11-14T22:13:20.005Z"
        );
        assert_eq!(
            UnixTime::from_seconds(1_700_000_000).to_string(),
            "2023-11-14T22:13:20.000Z"
        );
    }
}
