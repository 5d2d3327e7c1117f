//! The settings that are numbers, times and choices: proofs, shutdown, denials, places. Touches no file but secrets.

use std::time::Duration;

use crate::identity::settings::{DpopSettings, NonceMode};
use crate::model::Secret;

use super::review::Review;
use super::section::Section;
use super::suggest;
use super::tree::Text;

/// `version`, which is 1.
pub(crate) fn version(root: &Section<'_>, review: &mut Review<'_>) {
    if let Some((number, at)) = root.integer("version").filter(|(number, _)| *number != 1) {
        let message = format!("this gateway does not know version {number} of the file");
        review.report(at, "unsupported-version", message, "write `version: 1`");
    }
}

/// `state`, of which this version knows one.
pub(crate) fn state(root: &Section<'_>, review: &mut Review<'_>) {
    choose(root, "state", &[("memory", ())], &["redis"], review);
}

/// `dpop`.
pub(crate) fn dpop(root: &Section<'_>, review: &mut Review<'_>) -> Option<DpopSettings> {
    let section = root.section("dpop");
    let modes = [
        ("off", NonceMode::Off),
        ("optional", NonceMode::Optional),
        ("required", NonceMode::Required),
    ];
    let nonce = choose(&section, "nonce", &modes, &[], review);
    let window = section.duration("window", (SECOND, 10 * MINUTE), review);
    let nonce_key_file = section.text("nonce_key_file");
    if let (Some(text), Some(NonceMode::Off)) = (&nonce_key_file, nonce) {
        let help = "write `nonce: optional` or `nonce: required`, or remove `nonce_key_file`";
        review.report(
            text.at,
            "no-effect",
            "`nonce_key_file` has no effect while `nonce` is `off`",
            help,
        );
    }
    Some(DpopSettings {
        nonce: nonce?,
        window: window?,
        nonce_key: match nonce_key_file {
            Some(text) => Some(nonce_key(&text, review)?),
            None => None,
        },
    })
}

/// A key that can be guessed makes nonces that can be guessed.
fn nonce_key(written: &Text, review: &mut Review<'_>) -> Option<Secret<String>> {
    let key = review.secret_file(written)?;
    if key.expose().chars().count() >= SHORTEST_NONCE_KEY {
        return Some(key);
    }
    review.report(
        written.at,
        "weak-secret",
        format!("the key in this file has less than {SHORTEST_NONCE_KEY} characters"),
        "write a random one, for example with `openssl rand -base64 32`",
    );
    None
}

/// Characters.
const SHORTEST_NONCE_KEY: usize = 32;

/// `shutdown.drain`.
pub(crate) fn drain(root: &Section<'_>, review: &mut Review<'_>) -> Option<Duration> {
    root.section("shutdown")
        .duration("drain", (Duration::ZERO, HOUR), review)
}

/// `admin.socket`.
pub(crate) fn admin(root: &Section<'_>, review: &mut Review<'_>) -> Option<std::path::PathBuf> {
    let written = root
        .section("admin")
        .text("socket")
        .and_then(|text| filled_path(&text, review))?;
    Some(review.resolve(&written))
}

/// `pins`: where they are kept.
pub(crate) fn pins_directory(
    root: &Section<'_>,
    review: &mut Review<'_>,
) -> Option<std::path::PathBuf> {
    let written = root
        .section("pins")
        .text("directory")
        .and_then(|text| filled_path(&text, review))?;
    Some(review.resolve(&written))
}

/// `deny_http_status`, if it is there.
pub(crate) fn deny_http_status(root: &Section<'_>, review: &mut Review<'_>) -> Option<u16> {
    let (number, at) = root.integer("deny_http_status")?;
    match number {
        200 => Some(200),
        403 => Some(403),
        other => {
            let help =
                "write `200` or `403`, or remove the key to follow the client's protocol revision";
            review.report(
                at,
                "bad-status",
                format!("a denial cannot have the status {other}"),
                help,
            );
            None
        }
    }
}

/// The value that the choice `key` stands for. `planned` choices are known, and refused by name.
pub(crate) fn choose<T: Copy>(
    section: &Section<'_>,
    key: &str,
    choices: &[(&'static str, T)],
    planned: &[&str],
    review: &mut Review<'_>,
) -> Option<T> {
    let written = section.text(key)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == written.value) {
        return Some(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    if planned.contains(&written.value.as_str()) {
        let message = format!(
            "`{key}: {}` is not available in this version",
            written.value
        );
        review.report(
            written.at,
            "not-available",
            message,
            format!("write `{key}: {}`", names.join("` or `")),
        );
        return None;
    }
    let help = suggest::help(&written.value, &names, "known here");
    review.report(
        written.at,
        "unknown-value",
        format!("unknown value `{}` for `{key}`", written.value),
        help,
    );
    None
}

/// The text of a path, unless it is empty.
pub(crate) fn filled_path(written: &Text, review: &mut Review<'_>) -> Option<String> {
    if written.value.trim().is_empty() {
        review.report(
            written.at,
            "empty-value",
            "the path is empty",
            "write a path, or remove the key",
        );
        return None;
    }
    Some(written.value.clone())
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
