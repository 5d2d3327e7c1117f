//! Time zones of the IANA database, for whoever counts hours in them.

use gatewright_policies::Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::decision::Zone;
use crate::model::UnixTime;

use super::case::moment_of;
use super::review::Review;
use super::suggest;
use super::tree::Text;

/// The zone of this name: the same on every system, since the names come with the program.
pub(crate) fn zone(written: &Text, review: &mut Review<'_>) -> Option<TimeZone> {
    let zone = TimeZone::get(&written.value).ok();
    let zone = zone.filter(|zone| zone.iana_name().is_some());
    if zone.is_none() {
        review.report(
            written.at,
            "unknown-time-zone",
            format!("no time zone is named `{}`", written.value),
            help(&written.value),
        );
    }
    zone
}

fn help(written: &str) -> String {
    let names: Vec<_> = jiff::tz::db()
        .available()
        .map(|name| name.as_str().to_owned())
        .collect();
    match suggest::nearest(written, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write `UTC` or a name like `Europe/Berlin`".to_owned(),
    }
}

impl Zone for TimeZone {
    fn moment(&self, at: UnixTime) -> Moment {
        let millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
        // The library knows no time past the year 9999, and a clock that shows one shows nothing.
        let known = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        moment_of(&known.to_zoned(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use crate::decision::Zone;
    use crate::model::UnixTime;

    #[test]
    fn a_clock_that_is_set_forward_in_spring_is_followed() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let moment = |seconds| berlin.moment(UnixTime::from_seconds(seconds));
        // 2026-03-29, a Sunday: at 01:00 UTC, 02:00 there becomes 03:00.
        assert_eq!(moment(1_774_745_999).minute, 119);
        assert_eq!(
            (moment(1_774_746_000).minute, moment(1_774_746_000).weekday),
            (180, 7)
        );
        assert_eq!(moment(1_774_746_000).unix_millis, 1_774_746_000_000);
    }
}
