//! When something is, as people in one place count it. Reads no clock.

use std::fmt;

use gatewright_policies::Moment;

use crate::model::UnixTime;

/// A time zone: how far its clocks are from UTC.
pub trait Zone: fmt::Debug + Send + Sync {
    /// Seconds east of UTC at this moment.
    fn offset(&self, at: UnixTime) -> i64;
}

/// Coordinated universal time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utc;

impl Zone for Utc {
    fn offset(&self, _: UnixTime) -> i64 {
        0
    }
}

/// What a calendar and a clock show in `zone`.
pub fn moment(zone: &dyn Zone, at: UnixTime) -> Moment {
    let unix_millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
    let local = unix_millis.div_euclid(1000).saturating_add(zone.offset(at));
    // 1970-01-01 was a Thursday.
    let weekday = local.div_euclid(DAY).saturating_add(3).rem_euclid(7) + 1;
    Moment {
        unix_millis,
        weekday: u8::try_from(weekday).unwrap_or(1),
        minute: u16::try_from(local.rem_euclid(DAY) / 60).unwrap_or(0),
    }
}

/// Seconds: Unix time has no leap seconds.
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::{Utc, Zone, moment};
    use crate::model::UnixTime;

    #[derive(Debug)]
    struct East(i64);

    impl Zone for East {
        fn offset(&self, _: UnixTime) -> i64 {
            self.0
        }
    }

    proptest::proptest! {
        #[test]
        fn a_moment_is_what_a_calendar_library_says(
            millis in 0_u64..253_402_300_000_000,
            offset in -43_200_i32..50_400,
        ) {
            let at = UnixTime::from_millis(millis);
            let moment = moment(&East(offset.into()), at);
            let zone = jiff::tz::Offset::from_seconds(offset).unwrap().to_time_zone();
            let timestamp = jiff::Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            let there = timestamp.to_zoned(zone);
            assert_eq!(i64::from(moment.weekday), i64::from(there.weekday().to_monday_one_offset()));
            assert_eq!(
                i32::from(moment.minute),
                i32::from(there.hour()) * 60 + i32::from(there.minute())
            );
        }
    }

    #[test]
    fn days_begin_with_monday_at_midnight_of_the_zone() {
        // Sunday 2026-11-22 23:30 UTC.
        let at = UnixTime::from_seconds(1_795_390_200);
        let here = moment(&Utc, at);
        assert_eq!((here.weekday, here.minute), (7, 23 * 60 + 30));
        let there = moment(&East(3600), at);
        assert_eq!((there.weekday, there.minute), (1, 30));
        assert_eq!(there.unix_millis, here.unix_millis);
    }
}
