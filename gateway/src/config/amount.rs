//! The readers of numbers, sizes and durations: each within its range, or reported.

use std::time::Duration;

use super::review::Review;
use super::section::Section;
use super::tree::Text;
use super::value::{
    DURATION_HELP, SIZE_HELP, parse_duration, parse_size, spell_duration, spell_size,
};

impl Section<'_> {
    /// The whole number `name` or its default, from `least` to `most`.
    pub(crate) fn count(
        &self,
        name: &str,
        (least, most): (u32, u32),
        review: &mut Review<'_>,
    ) -> Option<u32> {
        let (number, at) = match self.integer(name) {
            Some(written) => written,
            None => self
                .text(name)
                .and_then(|text| Some((text.value.parse().ok()?, text.at)))?,
        };
        let count = u32::try_from(number).ok();
        let count = count.filter(|count| (least..=most).contains(count));
        if count.is_none() {
            review.report(
                at,
                "out-of-range",
                format!("`{name}` is out of range: {number}"),
                format!("write a number from {least} to {most}"),
            );
        }
        count
    }

    /// The size `name` or its default, from 1 to `most` bytes.
    pub(crate) fn size(&self, name: &str, most: usize, review: &mut Review<'_>) -> Option<usize> {
        let (size, written) = match self.integer(name) {
            Some((number, at)) => (
                usize::try_from(number).ok(),
                Text {
                    value: number.to_string(),
                    at,
                },
            ),
            None => self
                .text(name)
                .map(|text| (parse_size(&text.value), text))?,
        };
        let Some(size) = size else {
            review.report(
                written.at,
                "bad-size",
                format!("`{}` is not a size", written.value),
                SIZE_HELP,
            );
            return None;
        };
        if !(1..=most).contains(&size) {
            let message = format!("`{name}` is out of range: {}", written.value);
            review.report(
                written.at,
                "out-of-range",
                message,
                format!("write a size from 1 to {}", spell_size(most)),
            );
            return None;
        }
        Some(size)
    }

    /// The duration `name` or its default, from `least` to `most`.
    pub(crate) fn duration(
        &self,
        name: &str,
        (least, most): (Duration, Duration),
        review: &mut Review<'_>,
    ) -> Option<Duration> {
        let written = self.text(name)?;
        let Some(duration) = parse_duration(&written.value) else {
            let message = format!("`{}` is not a duration", written.value);
            review.report(written.at, "bad-duration", message, DURATION_HELP);
            return None;
        };
        if !(least..=most).contains(&duration) {
            let message = format!("`{name}` is out of range: {}", written.value);
            review.report(
                written.at,
                "out-of-range",
                message,
                format!(
                    "write a duration from {} to {}",
                    spell_duration(least),
                    spell_duration(most)
                ),
            );
            return None;
        }
        Some(duration)
    }
}
