//! The hours of work, as the configuration writes them. Never reads the clock.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::model::UnixTime;

use super::list::filled_texts;
use super::review::Review;
use super::section::Section;
use super::suggest;
use super::tree::Text;
use super::zone::zone;

/// On which days, from when to when, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Hours {
    /// Is `at` within them? Hours that end before they begin go on past midnight, and belong to the day they begin on.
    pub fn contain(&self, at: UnixTime) -> bool {
        let Some(at) = i64::try_from(at.millis())
            .ok()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        else {
            return false;
        };
        let local = at.to_zoned(self.zone.clone()).datetime();
        let (day, time) = (local.date().weekday(), local.time());
        if self.from <= self.to {
            return self.days.contains(&day) && self.from <= time && time < self.to;
        }
        let began_today = self.days.contains(&day) && self.from <= time;
        let began_yesterday = self.days.contains(&day.previous()) && time < self.to;
        began_today || began_yesterday
    }
}

/// `hours`, if they are there.
pub(crate) fn hours(audit: &Section<'_>, review: &mut Review<'_>) -> Option<Hours> {
    audit.node("hours")?;
    let section = audit.section("hours");
    let days = filled_texts(&section, "days", review).map(|texts| {
        let days = texts.iter().filter_map(|text| day(text, review));
        days.collect()
    });
    let from = section.text("from").and_then(|text| time(&text, review));
    let to = section.text("to").and_then(|text| time(&text, review));
    let zone = section.text("zone").and_then(|text| zone(&text, review));
    Some(Hours {
        days: days?,
        from: from?,
        to: to?,
        zone: zone?,
    })
}

fn day(written: &Text, review: &mut Review<'_>) -> Option<Weekday> {
    if let Some((_, day)) = DAYS.iter().find(|(name, _)| *name == written.value) {
        return Some(*day);
    }
    review.report(
        written.at,
        "unknown-value",
        format!("unknown value `{}` in `days`", written.value),
        suggest::help(&written.value, &DAYS.map(|(name, _)| name), "known here"),
    );
    None
}

fn time(written: &Text, review: &mut Review<'_>) -> Option<Time> {
    let parsed = Time::strptime("%H:%M", &written.value).ok();
    if parsed.is_none() {
        review.report(
            written.at,
            "bad-time",
            format!("`{}` is not a time of day", written.value),
            "write hours and minutes in quotes, like `\"08:30\"`",
        );
    }
    parsed
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, time};
    use jiff::tz::TimeZone;

    use super::Hours;
    use crate::model::UnixTime;

    /// `hour` UTC of Monday, 2026-11-23, and some days later.
    fn at(days: u64, hour: u64) -> UnixTime {
        UnixTime::from_seconds(1_795_392_000 + days * 86_400 + hour * 3600)
    }

    fn hours(from: i8, to: i8, zone: TimeZone) -> Hours {
        Hours {
            days: vec![Weekday::Monday, Weekday::Tuesday],
            from: time(from, 0, 0, 0),
            to: time(to, 0, 0, 0),
            zone,
        }
    }

    #[test]
    fn hours_hold_on_their_days_from_their_start_to_before_their_end() {
        let hours = hours(8, 18, TimeZone::UTC);
        for (days, hour, within) in [
            (0, 7, false),
            (0, 8, true),
            (1, 17, true),
            (1, 18, false),
            (2, 12, false),
            (6, 12, false),
        ] {
            assert_eq!(hours.contain(at(days, hour)), within, "{days} {hour}");
        }
    }

    #[test]
    fn hours_past_midnight_belong_to_the_day_they_begin_on() {
        let hours = hours(22, 6, TimeZone::UTC);
        for (days, hour, within) in [
            (0, 5, false),
            (0, 22, true),
            (1, 5, true),
            (2, 5, true),
            (2, 6, false),
            (2, 22, false),
        ] {
            assert_eq!(hours.contain(at(days, hour)), within, "{days} {hour}");
        }
    }

    #[test]
    fn hours_are_those_of_their_zone() {
        let east = TimeZone::fixed(jiff::tz::offset(2));
        let hours = hours(8, 18, east);
        assert!(hours.contain(at(0, 6)) && !hours.contain(at(0, 16)));
    }
}
