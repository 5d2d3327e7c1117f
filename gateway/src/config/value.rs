//! The small languages inside values: sizes, durations, variables. Pure: variables come from the caller.

use std::time::Duration;

/// How to write a size.
pub(crate) const SIZE_HELP: &str =
    "write a number of bytes or a size like `32KiB`, `4MiB` or `10MB`";
/// How to write a duration.
pub(crate) const DURATION_HELP: &str =
    "write a number with its unit, like `250ms`, `30s`, `10m` or `1h`";

/// A size in bytes; nothing when it is none, or more than the machine can count.
pub(crate) fn parse_size(text: &str) -> Option<usize> {
    let (number, unit) = split_number(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

/// A duration; nothing when it is none, has no unit, or is more than can be counted in milliseconds.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_number(text)?;
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(factor).map(Duration::from_millis)
}

/// The size as the file would say it, in the largest unit that fits.
pub(crate) fn spell_size(size: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fitting = units
        .iter()
        .find(|(factor, _)| size >= *factor && size.is_multiple_of(*factor));
    fitting.map_or_else(
        || size.to_string(),
        |(factor, unit)| format!("{}{unit}", size / factor),
    )
}

/// The duration as the file would say it, in the largest unit that fits.
pub(crate) fn spell_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let fitting = units
        .iter()
        .find(|(factor, _)| millis.is_multiple_of(*factor));
    fitting.filter(|_| millis > 0).map_or_else(
        || format!("{millis}ms"),
        |(factor, unit)| format!("{}{unit}", millis / factor),
    )
}

/// Digits and what follows them.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

/// Why a `${NAME}` could not be replaced. `token` is the text to point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VariableFault {
    /// The environment has no such variable.
    Unset {
        /// `${NAME}`
        token: String,
        /// `NAME`
        name: String,
    },
    /// `${` is not followed by a name and `}`.
    Malformed {
        /// What stands there.
        token: String,
    },
}

/// Replaces every `${NAME}` by the variable's value, which is not looked at again; `$${` stands for `${`.
pub(crate) fn interpolate(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Vec<VariableFault>> {
    let mut out = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(unescaped) = before.strip_suffix('$') {
            out.push_str(unescaped);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        match expand(after, environment) {
            Ok((value, remaining)) => {
                out.push_str(&value);
                rest = remaining;
            }
            Err((fault, remaining)) => {
                faults.push(fault);
                rest = remaining;
            }
        }
    }
    out.push_str(rest);
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(faults)
    }
}

/// The value of the variable whose name `after` starts with, and what follows its `}`.
fn expand<'t>(
    after: &'t str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, &'t str), (VariableFault, &'t str)> {
    let Some((name, remaining)) = after.split_once('}') else {
        return Err((
            VariableFault::Malformed {
                token: format!("${{{after}"),
            },
            "",
        ));
    };
    let token = format!("${{{name}}}");
    if !is_variable_name(name) {
        return Err((VariableFault::Malformed { token }, remaining));
    }
    match environment(name) {
        Some(value) => Ok((value, remaining)),
        None => Err((
            VariableFault::Unset {
                token,
                name: name.to_owned(),
            },
            remaining,
        )),
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|character: char| character.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        VariableFault, interpolate, parse_duration, parse_size, spell_duration, spell_size,
    };

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("auth.example.com".to_owned()),
            "ODD" => Some("${HOST}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn sizes_are_decimal_or_binary() {
        assert_eq!(parse_size("4MiB"), Some(4 << 20));
        assert_eq!(parse_size("32KiB"), Some(32 << 10));
        assert_eq!(parse_size("10MB"), Some(10_000_000));
        assert_eq!(parse_size("512"), Some(512));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "4 MiB",
            "4mib",
            "-1",
            "1.5MiB",
            "99999999999GiB",
            "4MiBs",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("10m"), Some(Duration::from_secs(600)));
        assert_eq!(parse_duration("1h"), Some(Duration::from_secs(3600)));
    }

    #[test]
    fn what_is_spelled_reads_back() {
        for text in ["1", "1023", "32KiB", "64MiB", "2GiB"] {
            assert_eq!(spell_size(parse_size(text).unwrap()), text);
        }
        for text in ["0ms", "1ms", "1500ms", "1s", "90s", "10m", "24h"] {
            assert_eq!(spell_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "30 s",
            "1d",
            "-1s",
            "1.5s",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn variables_are_replaced_once_and_an_escape_is_kept() {
        let replaced = interpolate("https://${HOST}/$${HOST}/$HOST/${ODD}", &environment);
        assert_eq!(
            replaced.unwrap(),
            "https://auth.example.com/${HOST}/$HOST/${HOST}"
        );
    }

    #[test]
    fn every_unset_or_malformed_variable_is_named() {
        assert_eq!(
            interpolate("${NOPE} ${HOST} ${} ${1A} ${open", &environment).unwrap_err(),
            [
                VariableFault::Unset {
                    token: "${NOPE}".to_owned(),
                    name: "NOPE".to_owned()
                },
                VariableFault::Malformed {
                    token: "${}".to_owned()
                },
                VariableFault::Malformed {
                    token: "${1A}".to_owned()
                },
                VariableFault::Malformed {
                    token: "${open".to_owned()
                },
            ]
        );
    }
}
