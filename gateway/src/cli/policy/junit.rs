//! Tests of a policy as JUnit XML, for the systems that run them. Never lets a name end an attribute.

use std::fmt::Write as _;

use crate::config::suite::Ran;

/// The tests that ran, one suite for each file. `why` tells more of one that failed.
pub(super) fn junit(ran: &[Ran<'_>], why: impl Fn(&Ran<'_>) -> String) -> String {
    let failed = |ran: &[Ran<'_>]| {
        ran.iter()
            .filter(|ran| ran.outcome.difference.is_some())
            .count()
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"policy\" tests=\"{}\" failures=\"{}\">",
        ran.len(),
        failed(ran)
    );
    for file in ran.chunk_by(|one, other| one.test.path == other.test.path) {
        let name = file.first().map_or_else(String::new, |ran| {
            escaped(&ran.test.path.display().to_string())
        });
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">",
            file.len(),
            failed(file)
        );
        for ran in file {
            text.push_str(&case(&name, ran, &why));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>");
    text
}

fn case(file: &str, ran: &Ran<'_>, why: &impl Fn(&Ran<'_>) -> String) -> String {
    let name = escaped(&ran.test.name);
    let head = format!(
        "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{}\"",
        ran.test.line
    );
    match &ran.outcome.difference {
        None => format!("{head}/>\n"),
        Some(difference) => format!(
            "{head}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
            escaped(&difference.to_string()),
            escaped(&why(ran))
        ),
    }
}

/// Text as XML 1.0 takes it anywhere.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            other => out.push(other),
        }
    }
    out
}
