//! What the part about the policy may say, and the files of its tests. One row adds a key; no value is judged here.

use super::raw::{Key, Presence, Shape, TEXTS, key};

pub(crate) static POLICY: &[Key] = &[
    key("mode", Shape::Text, Presence::Default("enforce")),
    key("time_zone", Shape::Text, Presence::Default("UTC")),
    key(
        "roles",
        Shape::Named(&Shape::NamedBeside(ROLE, &Shape::Each(&ROW))),
        Presence::Optional,
    ),
    key("cedar", Shape::TextOr(&TEXTS), Presence::Optional),
    key("tests", Shape::TextOr(&TEXTS), Presence::Optional),
    key("shadow", Shape::Text, Presence::Optional),
];

static ROLE: &[Key] = &[key(
    "grant",
    Shape::Each(&Shape::Section(GRANT)),
    Presence::Optional,
)];

/// The keys of a rule that gives a role.
pub(crate) static GRANT: &[Key] = &[
    key("issuer", Shape::Text, Presence::Optional),
    key("scopes", TEXTS, Presence::Defaults(&[])),
    key("client", Shape::Text, Presence::Optional),
    key("subject", Shape::Text, Presence::Optional),
];

static ROW: Shape = Shape::TextOr(&Shape::Section(ROW_KEYS));

/// The keys of a rule that is more than a tool's pattern.
pub(crate) static ROW_KEYS: &[Key] = &[
    key("tool", Shape::Text, Presence::Optional),
    key("prompt", Shape::Text, Presence::Optional),
    key("resource", Shape::Text, Presence::Optional),
    key("scopes", TEXTS, Presence::Defaults(&[])),
    key("when", Shape::Text, Presence::Optional),
    key("details", Shape::Text, Presence::Optional),
    key("approval", Shape::Section(APPROVAL), Presence::Optional),
    key("tier", Shape::Text, Presence::Optional),
    key("limit", Shape::TextOr(&TEXTS), Presence::Optional),
];

static APPROVAL: &[Key] = &[
    key("by", Shape::Text, Presence::Required("by: crm-owners")),
    key("ttl", Shape::Duration, Presence::Optional),
];

/// A file of tests: what all of its cases have, and the cases.
pub(crate) static CASES: &[Key] = &[
    key("defaults", Shape::Section(CASE), Presence::Optional),
    key(
        "cases",
        Shape::Each(&Shape::Section(CASE)),
        Presence::Required("cases: [{ tool: refund, expect: deny }]"),
    ),
];

/// The keys of a case. What one lacks, the defaults of its file may have.
pub(crate) static CASE: &[Key] = &[
    key("name", Shape::Text, Presence::Optional),
    key("as", Shape::Section(PARTY), Presence::Optional),
    key("server", Shape::Text, Presence::Optional),
    key("tool", Shape::Text, Presence::Optional),
    key("prompt", Shape::Text, Presence::Optional),
    key("resource", Shape::Text, Presence::Optional),
    key("args", Shape::Any, Presence::Optional),
    key("details", Shape::Each(&Shape::Any), Presence::Optional),
    key(
        "annotations",
        Shape::Section(ANNOTATIONS),
        Presence::Optional,
    ),
    key("at", Shape::Text, Presence::Optional),
    key("expect", Shape::Text, Presence::Optional),
    key("scopes_missing", TEXTS, Presence::Optional),
    key("rule", Shape::Text, Presence::Optional),
];

/// Who asks in a case.
pub(crate) static PARTY: &[Key] = &[
    key("roles", TEXTS, Presence::Defaults(&[])),
    key("scopes", TEXTS, Presence::Defaults(&[])),
    key("issuer", Shape::Text, Presence::Optional),
    key("sub", Shape::Text, Presence::Default("somebody")),
    key("client", Shape::Text, Presence::Optional),
    key("kind", Shape::Text, Presence::Default("agent")),
    key("actors", TEXTS, Presence::Defaults(&[])),
    key("model", Shape::Text, Presence::Optional),
    key("model_source", Shape::Text, Presence::Default("claim")),
    key("claims", Shape::Named(&Shape::Any), Presence::Optional),
    key("acr", Shape::Text, Presence::Optional),
    key("auth_age", Shape::Duration, Presence::Optional),
    key("token_age", Shape::Duration, Presence::Optional),
    key("source", Shape::Text, Presence::Optional),
];

/// What the tool of a case says of itself.
pub(crate) static ANNOTATIONS: &[Key] = &[
    key("read_only", Shape::Flag, Presence::Optional),
    key("destructive", Shape::Flag, Presence::Optional),
    key("idempotent", Shape::Flag, Presence::Optional),
    key("open_world", Shape::Flag, Presence::Optional),
];
