//! Moments on the command line: how long ago, or a time. Never reads the clock.

use std::time::Duration;

use crate::model::UnixTime;

/// A moment as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum When {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(UnixTime),
}

impl When {
    /// The moment, seen from `now`.
    pub(in crate::cli) fn from(self, now: UnixTime) -> UnixTime {
        match self {
            Self::Ago(ago) => {
                let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
                UnixTime::from_millis(now.millis().saturating_sub(ago))
            }
            Self::At(at) => at,
        }
    }

    /// Reads `90s`, `30m`, `24h`, `7d`, `2026-11-21` or `2026-11-21T09:30:00Z`.
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, String> {
        let ago = ago(text).map(Self::Ago);
        let at = || at(text).map(Self::At);
        ago.or_else(at).ok_or_else(|| HELP.to_owned())
    }
}

fn ago(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

fn at(text: &str) -> Option<UnixTime> {
    let day = format!("{text}T00:00:00Z");
    let text = if text.contains('T') { text } else { &day };
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    let millis = u64::try_from(timestamp.as_millisecond()).ok()?;
    Some(UnixTime::from_millis(millis))
}

const HELP: &str =
    "write how long ago, like `30m`, `24h` or `7d`, or a time in UTC, like `2026-11-21T09:30:00Z`";

#[cfg(test)]
mod tests {
    use super::When;
    use crate::model::UnixTime;

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let now = UnixTime::from_seconds(1_700_000_000);
        for (text, seconds) in [
            ("90s", 1_699_999_910),
            ("30m", 1_699_998_200),
            ("24h", 1_699_913_600),
            ("7d", 1_699_395_200),
            ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-14T23:13:20+01:00", 1_700_000_000),
            ("2023-11-14", 1_699_920_000),
            ("99999999999d", 0),
        ] {
            let at = When::parse(text).unwrap().from(now);
            assert_eq!(at, UnixTime::from_seconds(seconds), "{text}");
        }
        for bad in [
            "",
            "24",
            "h",
            "-1h",
            "+1h",
            "1w",
            "yesterday",
            "2023-13-01",
            "1.5h",
        ] {
            assert!(When::parse(bad).is_err(), "{bad}");
        }
    }
}
