//! What records say of calls and of those who make them: arguments, models, subjects. Never looks at a call.

use std::collections::HashMap;

use http::HeaderName;

use crate::decision::arguments::Listed;
use crate::identity::settings::IssuerSettings;
use crate::mcp::arguments::Pointer;
use crate::model::Secret;

use super::anomalies::{AnomalySettings, anomalies};
use super::behaviour::{choose, strong_secret};
use super::issuers::filled;
use super::review::Review;
use super::roles::{check_server, entries};
use super::section::{Section, as_texts};
use super::servers::Servers;
use super::tree::{Node, Text, Value};

/// What records say of calls and of those who make them.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What they keep of arguments.
    pub arguments: ArgumentsRecord,
    /// The key of the digest, when a file of the operator's holds it; else the gateway makes one.
    pub digest_key: Option<Secret<String>>,
    /// Where a client may name the model behind it.
    pub model: ModelPlaces,
    /// How they name persons.
    pub subjects: Subjects,
    /// What is unusual.
    pub anomalies: AnomalySettings,
}

/// What a record keeps of a call's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentsRecord {
    /// Nothing.
    None,
    /// Their keyed digest and their length.
    Digest,
    /// The values that are listed, too.
    Fields(Listed),
}

/// How records name persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// As their issuer does.
    Plain,
    /// By pseudonyms whose meaning can be erased.
    Sealed,
}

/// Where a client may name the model behind it, besides the claim of its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPlaces {
    /// The key in `_meta`.
    pub meta: Option<String>,
    /// The header.
    pub header: Option<HeaderName>,
}

impl Default for Recording {
    /// What holds where the configuration says nothing.
    fn default() -> Self {
        Self {
            arguments: ArgumentsRecord::Digest,
            digest_key: None,
            model: ModelPlaces {
                meta: Some(META.to_owned()),
                header: None,
            },
            subjects: Subjects::Plain,
            anomalies: AnomalySettings::default(),
        }
    }
}

/// The keys of `audit` that say what stands in a record. Names the claim of the model to `issuers` that name none.
pub(crate) fn recording(
    root: &Section<'_>,
    servers: &Servers,
    issuers: &mut [IssuerSettings],
    review: &mut Review<'_>,
) -> Option<Recording> {
    let audit = root.section("audit");
    let claim = place(&audit.section("model"), "claim", review);
    for issuer in issuers {
        issuer.model_claim = issuer.model_claim.take().or_else(|| claim.clone());
    }
    let subjects = [("plain", Subjects::Plain), ("sealed", Subjects::Sealed)];
    let subjects = choose(&audit, "subjects", &subjects, &[], review);
    let arguments = arguments(&audit, servers, review);
    let digest_key = match audit.text("digest_key_file") {
        Some(text) => Some(strong_secret(&text, review)?),
        None => None,
    };
    let anomalies = anomalies(&audit, review);
    Some(Recording {
        arguments: arguments?,
        digest_key,
        model: model(&audit.section("model"), review),
        subjects: subjects?,
        anomalies: anomalies?,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    None,
    Digest,
    Fields,
}

fn arguments(
    audit: &Section<'_>,
    servers: &Servers,
    review: &mut Review<'_>,
) -> Option<ArgumentsRecord> {
    let modes = [
        ("none", Mode::None),
        ("digest", Mode::Digest),
        ("fields", Mode::Fields),
    ];
    let mode = choose(audit, "arguments", &modes, &[], review)?;
    match (mode, audit.node("fields")) {
        (Mode::None, None) => Some(ArgumentsRecord::None),
        (Mode::Digest, None) => Some(ArgumentsRecord::Digest),
        (Mode::Fields, Some(node)) => Some(ArgumentsRecord::Fields(listed(node, servers, review))),
        (Mode::Fields, None) => {
            let help = "add `fields: { crm: { refund: [/amount] } }`, or write `arguments: digest`";
            let at = audit.node("arguments").map_or(audit.at(), |node| node.at);
            review.report(at, "missing-key", "missing key `fields`", help);
            None
        }
        (Mode::None | Mode::Digest, Some(node)) => {
            let message = "`fields` has no effect without `arguments: fields`";
            let help = "write `arguments: fields`, or remove `fields`";
            review.report(node.at, "no-effect", message, help);
            None
        }
    }
}

fn listed(node: &Node, servers: &Servers, review: &mut Review<'_>) -> Listed {
    let mut listed = Listed::new();
    for (server, tools) in entries(node) {
        check_server(server, servers.names.as_deref(), review);
        let mut of_server = HashMap::new();
        for (tool, pointers) in entries(tools) {
            let texts = as_texts(pointers).unwrap_or_default();
            let read = texts.iter().filter_map(|text| pointer(text, review));
            of_server.insert(tool.value.clone(), read.collect());
        }
        listed.insert(server.value.clone(), of_server);
    }
    listed
}

fn pointer(written: &Text, review: &mut Review<'_>) -> Option<(Box<str>, Pointer)> {
    let pointer = Pointer::parse(&written.value);
    if pointer.is_none() {
        review.report(
            written.at,
            "bad-pointer",
            format!("`{}` is not a JSON pointer to a value", written.value),
            "write the path to one value, like `/amount` or `/lines/0/price` (RFC 6901)",
        );
    }
    Some((written.value.as_str().into(), pointer?))
}

fn model(section: &Section<'_>, review: &mut Review<'_>) -> ModelPlaces {
    let meta = place(section, "meta", review);
    if let (
        Some(key),
        Some(Node {
            at,
            value: Value::Text(_),
        }),
    ) = (&meta, section.node("meta"))
        && key.to_ascii_lowercase().starts_with("gatewright/")
        && key != META
    {
        let message = format!("`{key}` would be refused: other keys under `gatewright/` are");
        review.report(
            *at,
            "bad-meta-key",
            message,
            format!("write `{META}`, or a key of your own"),
        );
    }
    ModelPlaces {
        meta,
        header: header(section, review),
    }
}

fn header(section: &Section<'_>, review: &mut Review<'_>) -> Option<HeaderName> {
    let written = section.text("header")?;
    let Ok(name) = HeaderName::from_bytes(written.value.as_bytes()) else {
        review.report(
            written.at,
            "bad-header",
            format!("`{}` is not the name of a header", written.value),
            "write a name like `X-Agent-Model`",
        );
        return None;
    };
    if name.as_str().split('-').any(|word| SECRET.contains(&word)) {
        review.report(
            written.at,
            "bad-header",
            format!("`{name}` holds what must not be recorded"),
            "write a header that agents send for this alone, like `X-Agent-Model`",
        );
        return None;
    }
    Some(name)
}

/// A place where a model may be named, unless it is `off`.
fn place(section: &Section<'_>, key: &str, review: &mut Review<'_>) -> Option<String> {
    let written = section.text(key)?;
    let name = filled(written, "the place of the model", review)?;
    (name != "off").then_some(name)
}

const META: &str = "gatewright/model";
/// Words in the names of headers that hold credentials, sessions or what leads to them.
const SECRET: [&str; 11] = [
    "auth",
    "authorization",
    "cert",
    "cookie",
    "dpop",
    "event",
    "key",
    "password",
    "secret",
    "session",
    "token",
];
