//! How much of something a principal may use in a time. Says what is taken from which budget; keeps none.

use std::time::Duration;

use crate::answer::RuleId;
use crate::error::FaultKind;

/// At most so much in a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How much: calls, or the unit of the argument.
    pub most: u64,
    /// In how long. The window starts with the first call in it.
    pub window: Duration,
    /// Whose calls are added up.
    pub per: Per,
    /// What is added up.
    pub measure: Measure,
}

impl Limit {
    /// Reads `10/hour`, `10/15m per role`, `sum(args.amount) <= 500/day`.
    ///
    /// ```
    /// use gatewright_policies::{Limit, Measure, Per};
    ///
    /// let limit = Limit::parse("sum(args.amount) <= 500/day per role").expect("a limit");
    /// assert_eq!((limit.most, limit.window.as_secs(), limit.per), (500, 86_400, Per::Role));
    /// assert_eq!(limit.measure, Measure::Sum("amount".to_owned()));
    /// ```
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, FaultKind> {
        let bad = || FaultKind::BadPolicy {
            message: format!("`{}` is no limit", text.escape_debug()),
            help: "write 10/hour, 10/15m per role, or sum(args.amount) <= 500/day".to_owned(),
        };
        let (rate, per) = match text.trim().split_once(" per ") {
            Some((rate, per)) => (rate, Per::parse(per.trim()).ok_or_else(bad)?),
            None => (text.trim(), Per::Principal),
        };
        let (measure, rate) = match rate.strip_prefix("sum(") {
            Some(rest) => sum(rest).ok_or_else(bad)?,
            None => (Measure::Calls, rate),
        };
        let (most, window) = rate.split_once('/').ok_or_else(bad)?;
        Ok(Self {
            most: digits(most).ok_or_else(bad)?,
            window: window_of(window.trim()).ok_or_else(bad)?,
            per,
            measure,
        })
    }
}

fn sum(text: &str) -> Option<(Measure, &str)> {
    let (path, rest) = text.split_once(')')?;
    let keys = path.trim().strip_prefix("args.")?;
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let rate = rest.trim_start().strip_prefix("<=")?;
    keys.split('.')
        .all(is_key)
        .then(|| (Measure::Sum(keys.to_owned()), rate.trim()))
}

/// `second`, `minute`, `hour`, `day`, or a number with `s`, `m`, `h` or `d`; never nothing.
fn window_of(text: &str) -> Option<Duration> {
    let seconds = match text {
        "second" => 1,
        "minute" => MINUTE,
        "hour" => HOUR,
        "day" => DAY,
        other => return duration(other).filter(|window| !window.is_zero()),
    };
    Some(Duration::from_secs(seconds))
}

/// A whole number with a unit: `15m`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    digits(number)?.checked_mul(unit).map(Duration::from_secs)
}

fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Per {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "principal" => Some(Self::Principal),
            "role" => Some(Self::Role),
            "tool" => Some(Self::Tool),
            _ => None,
        }
    }
}

/// Whose calls are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// Those of one principal (issuer and subject).
    Principal,
    /// Those of everybody who has the role of the rule.
    Role,
    /// Those of everybody to the same tool.
    Tool,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Calls.
    Calls,
    /// The argument at this path, a whole number that is not negative.
    Sum(String),
}

/// What one call takes from one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The rule that says so.
    pub rule: RuleId,
    /// The budget.
    pub limit: Limit,
    /// How much the call takes.
    pub amount: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, Measure, Per};

    #[test]
    fn windows_are_words_or_durations() {
        for (text, most, seconds) in [
            ("10/hour", 10, 3600),
            ("1/second", 1, 1),
            (" 5 / 15m ", 5, 900),
            ("0/day", 0, 86_400),
        ] {
            let limit = Limit::parse(text).unwrap();
            assert_eq!(
                (limit.most, limit.window),
                (most, Duration::from_secs(seconds))
            );
            assert_eq!((limit.per, limit.measure), (Per::Principal, Measure::Calls));
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "10",
            "hour",
            "10/",
            "10/year",
            "10/0m",
            "-1/hour",
            "10/hour per user",
            "sum(amount) <= 5/day",
            "sum(args.) <= 5/day",
            "sum(args.a) < 5/day",
            "99999999999999999999/hour",
            "1/999999999999999999d",
            "+1/hour",
        ] {
            assert!(Limit::parse(text).is_err(), "{text}");
        }
    }
}
