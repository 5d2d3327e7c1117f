//! What the answers of a server may hold, and whether its tools may change. Never looks at an answer.

use super::behaviour::choose;
use super::checked::{Answers, Pins, Redacted, ServerRequest};
use super::review::Review;
use super::section::Section;
use super::suggest;

/// `server_requests`, `elicitation_hosts` and `redact` of a server.
pub(crate) fn answers(section: &Section<'_>, review: &mut Review<'_>) -> Answers {
    Answers {
        server_requests: several(section, "server_requests", &SERVER_REQUESTS, review),
        elicitation_hosts: hosts(section, review),
        redact: several(section, "redact", &REDACTED, review),
    }
}

/// `pins` of a server.
pub(crate) fn pins(section: &Section<'_>, review: &mut Review<'_>) -> Option<Pins> {
    let choices = [
        ("off", Pins::Off),
        ("warn", Pins::Warn),
        ("block", Pins::Block),
    ];
    choose(section, "pins", &choices, &[], review)
}

/// The values that the choices in the list `key` stand for.
pub(crate) fn several<T: Copy>(
    section: &Section<'_>,
    key: &str,
    choices: &[(&'static str, T)],
    review: &mut Review<'_>,
) -> Vec<T> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let mut found = Vec::new();
    for text in section.texts(key).unwrap_or_default() {
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text.value) {
            found.push(*value);
            continue;
        }
        let message = format!("unknown value `{}` in `{key}`", text.value);
        let help = suggest::help(&text.value, &names, "known here");
        review.report(text.at, "unknown-value", message, help);
    }
    found
}

fn hosts(section: &Section<'_>, review: &mut Review<'_>) -> Vec<String> {
    let written = section.texts("elicitation_hosts").unwrap_or_default();
    for text in written.iter().filter(|text| !is_host(&text.value)) {
        review.report(
            text.at,
            "bad-host",
            format!("`{}` is not a host name", text.value),
            "write a name in lower case without port, such as `pay.example.com` or `*.example.com`",
        );
    }
    written.into_iter().map(|text| text.value).collect()
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !name.is_empty() && name.split('.').all(|label| !label.is_empty()) && name.bytes().all(allowed)
}

const SERVER_REQUESTS: [(&str, ServerRequest); 3] = [
    ("sampling/createMessage", ServerRequest::Sampling),
    ("elicitation/create", ServerRequest::Elicitation),
    ("roots/list", ServerRequest::Roots),
];

const REDACTED: [(&str, Redacted); 3] = [
    ("instructions", Redacted::Instructions),
    ("experimental", Redacted::Experimental),
    ("extensions", Redacted::Extensions),
];
