//! `audit.ship`: where records are brought to. Reads no secret, connects to nobody.

use std::time::Duration;

use url::Url;

use crate::audit::ship::settings::{
    Bounds, HttpSettings, MissingStream, NatsSettings, SinkKind, SinkSettings,
};

use super::behaviour::filled_path;
use super::review::Review;
use super::section::Section;
use super::tree::Text;
use super::url::{is_loopback, web_url};

/// Every sink.
pub(crate) fn sinks(root: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<SinkSettings>> {
    let written = root.section("audit").sections("ship");
    let mut found: Vec<SinkSettings> = Vec::new();
    let mut is_whole = true;
    for section in &written {
        match sink(section, review) {
            Some((settings, name)) => {
                refuse_twin(&settings, &name, &found, review);
                found.push(settings);
            }
            None => is_whole = false,
        }
    }
    is_whole.then_some(found)
}

fn sink(section: &Section<'_>, review: &mut Review<'_>) -> Option<(SinkSettings, Text)> {
    let mut named = KINDS
        .into_iter()
        .filter(|kind| section.node(kind).is_some());
    let (Some(kind), None) = (named.next(), named.next()) else {
        let help = format!("name exactly one of `{}`", KINDS.join("`, `"));
        let message = "an item of `ship` is one sink";
        review.report(section.at(), "ambiguous-sink", message, help);
        return None;
    };
    let keys = section.section(kind);
    let name = match kind {
        "stdout" => Text {
            value: kind.to_owned(),
            at: section.at(),
        },
        _ => keys.text("name")?,
    };
    let kind = match kind {
        "stdout" => Some(SinkKind::Stdout),
        "http" => http(&keys, "url", review).map(SinkKind::Http),
        "nats" => nats(&keys, review).map(SinkKind::Nats),
        _ => http(&keys, "endpoint", review).map(SinkKind::Otlp),
    };
    check_name(&name, review)?;
    let settings = SinkSettings {
        name: name.value.as_str().into(),
        kind: kind?,
    };
    Some((settings, name))
}

/// The name stands in metrics and is part of a file's name.
fn check_name(name: &Text, review: &mut Review<'_>) -> Option<()> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let is_good =
        (1..=LONGEST_NAME).contains(&name.value.len()) && name.value.bytes().all(is_plain);
    if is_good && name.value != LEDGER {
        return Some(());
    }
    let message = format!("`{}` cannot be the name of a sink", name.value);
    let help = format!("write 1 to {LONGEST_NAME} of `a-z 0-9 _ -`, not `{LEDGER}`");
    review.report(name.at, "bad-sink-name", message, help);
    None
}

fn refuse_twin(sink: &SinkSettings, name: &Text, known: &[SinkSettings], review: &mut Review<'_>) {
    if known.iter().any(|other| other.name == sink.name) {
        let message = format!("two sinks have the name `{}`", name.value);
        let help = "give each its own `name`: each has its own place in the ledger";
        review.report(name.at, "duplicate-sink", message, help);
    }
}

/// A collector; `place` is the key of its URL.
fn http(keys: &Section<'_>, place: &str, review: &mut Review<'_>) -> Option<HttpSettings> {
    let written = keys.text(place);
    let url = written.as_ref().and_then(|text| web_url(text, review));
    let url = written
        .zip(url)
        .and_then(|(text, url)| secured(&text, url, review));
    let url = match (place, url) {
        ("endpoint", Some(url)) => Some(logs_url(&url)),
        (_, url) => url.map(String::from),
    };
    let token_file = file(keys, "token_file", review);
    let ca_file = ca_file(keys, place, review);
    let timeout = keys.duration("timeout", TIMEOUT, review);
    let lines = keys.count("batch", LINES, review);
    let bytes = keys.size("batch_bytes", BYTES, review);
    Some(HttpSettings {
        url: url?,
        token_file: token_file?,
        ca_file: ca_file?,
        timeout: timeout?,
        batch: Bounds {
            lines: usize::try_from(lines?).ok()?,
            bytes: bytes?,
        },
    })
}

/// Where a collector takes logs, below its base (OTLP/HTTP 1.0).
fn logs_url(endpoint: &Url) -> String {
    let mut url = endpoint.clone();
    url.set_path(&format!(
        "{}/v1/logs",
        endpoint.path().trim_end_matches('/')
    ));
    url.into()
}

fn nats(keys: &Section<'_>, review: &mut Review<'_>) -> Option<NatsSettings> {
    let url = keys.text("url").and_then(|text| nats_url(&text, review));
    let stream = keys.text("stream").and_then(|text| stream(&text, review));
    let subject = keys.text("subject").and_then(|text| subject(&text, review));
    let credentials_file = file(keys, "credentials_file", review);
    let token_file = file(keys, "token_file", review);
    if let (Some(_), Some(node)) = (keys.node("credentials_file"), keys.node("token_file")) {
        let message = "both `credentials_file` and `token_file` say who the gateway is";
        review.report(node.at, "two-credentials", message, "keep one of them");
    }
    let ca_file = ca_file(keys, "url", review);
    let timeout = keys.duration("timeout", TIMEOUT, review);
    let lines = keys.count("batch", LINES, review);
    let missing = if keys.is_set("create") {
        MissingStream::Made
    } else {
        MissingStream::Waited
    };
    Some(NatsSettings {
        url: url?,
        stream: stream?,
        subject: subject?,
        missing,
        credentials_file: credentials_file?,
        token_file: token_file?,
        ca_file: ca_file?,
        timeout: timeout?,
        batch: Bounds {
            lines: usize::try_from(lines?).ok()?,
            bytes: NATS_BYTES,
        },
    })
}

/// `nats://` or `tls://`, with a host and without anything that could be a secret.
fn nats_url(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let parsed = Url::parse(&written.value).ok().filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none();
        let is_known = matches!(url.scheme(), "nats" | "tls");
        let ends =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        is_bare && is_known && ends && url.host().is_some()
    });
    let Some(url) = parsed else {
        let message = format!("`{}` is not the URL of a NATS server", written.value);
        let help = "write it like `tls://nats.example.com:4222`, credentials in a file";
        review.report(written.at, "bad-url", message, help);
        return None;
    };
    secured(written, url, review).map(String::from)
}

/// What leaves the machine goes by TLS.
fn secured(written: &Text, url: Url, review: &mut Review<'_>) -> Option<Url> {
    let is_local = is_loopback(&url) || url.host_str().is_some_and(is_loopback_text);
    if matches!(url.scheme(), "https" | "tls") || is_local {
        return Some(url);
    }
    let message = format!("records would go to `{}` without TLS", written.value);
    let help = "write an `https://` or `tls://` URL; plain text is for a sink on this machine";
    review.report(written.at, "plain-sink", message, help);
    None
}

/// The host of a URL whose scheme is no web scheme is only text.
fn is_loopback_text(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

fn stream(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !written.value.is_empty() && written.value.bytes().all(is_plain) {
        return Some(written.value.clone());
    }
    let message = format!("`{}` cannot be the name of a stream", written.value);
    review.report(
        written.at,
        "bad-stream",
        message,
        "write letters, digits, `_` and `-`",
    );
    None
}

fn subject(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'>');
    let is_token = |token: &str| !token.is_empty() && token.bytes().all(is_plain);
    if written.value.split('.').all(is_token) {
        return Some(written.value.clone());
    }
    let message = format!("`{}` is not one subject", written.value);
    let help = "write words between dots, without `*` and `>`, like `gatewright.audit`";
    review.report(written.at, "bad-subject", message, help);
    None
}

/// The file `key`: absent, or there. Nothing when it was reported.
#[expect(clippy::option_option, reason = "absent is not faulty")]
fn file(
    keys: &Section<'_>,
    key: &str,
    review: &mut Review<'_>,
) -> Option<Option<std::path::PathBuf>> {
    let Some(text) = keys.text(key) else {
        return keys.node(key).is_none().then_some(None);
    };
    filled_path(&text, review)?;
    review.existing_file(&text).map(Some)
}

/// As [`file`]; it has no effect where there is no TLS.
#[expect(clippy::option_option, reason = "absent is not faulty")]
fn ca_file(
    keys: &Section<'_>,
    place: &str,
    review: &mut Review<'_>,
) -> Option<Option<std::path::PathBuf>> {
    let url = keys.text(place).map(|text| text.value).unwrap_or_default();
    if let Some(node) = keys.node("ca_file")
        && (url.starts_with("http://") || url.starts_with("nats://"))
    {
        let message = format!("`ca_file` has no effect on `{url}`");
        let help = "write an `https://` or `tls://` URL, or remove `ca_file`";
        review.report(node.at, "no-effect", message, help);
    }
    file(keys, "ca_file", review)
}

const KINDS: [&str; 4] = ["stdout", "http", "nats", "otlp"];
/// What the ledger itself is called where sinks are named.
const LEDGER: &str = "ledger";
const LONGEST_NAME: usize = 32;
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(300));
const LINES: (u32, u32) = (1, 10_000);
const BYTES: usize = 16 << 20;
/// How much is read for one batch of messages, each of which goes alone.
const NATS_BYTES: usize = 4 << 20;
