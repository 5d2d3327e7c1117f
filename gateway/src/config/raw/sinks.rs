//! The keys of `audit.ship`.

use super::{Key, Presence, Shape, bound, key};

/// One sink: exactly one of these.
pub(super) static SINK: &[Key] = &[
    key("stdout", Shape::Section(&[]), Presence::Optional),
    key("http", Shape::Section(HTTP), Presence::Optional),
    key("nats", Shape::Section(NATS), Presence::Optional),
    key("otlp", Shape::Section(OTLP), Presence::Optional),
];

static HTTP: &[Key] = &[
    key(
        "url",
        Shape::Text,
        Presence::Required("url: https://siem.example.com/ingest"),
    ),
    key("name", Shape::Text, Presence::Default("http")),
    key("token_file", Shape::Text, Presence::Optional),
    key("ca_file", Shape::Text, Presence::Optional),
    bound("timeout", Shape::Duration, "10s"),
    bound("batch", Shape::Integer, "500"),
    bound("batch_bytes", Shape::Size, "1MiB"),
];

static NATS: &[Key] = &[
    key(
        "url",
        Shape::Text,
        Presence::Required("url: tls://nats.example.com:4222"),
    ),
    key("stream", Shape::Text, Presence::Required("stream: AUDIT")),
    key("name", Shape::Text, Presence::Default("nats")),
    key(
        "subject",
        Shape::Text,
        Presence::Default("gatewright.audit"),
    ),
    key("create", Shape::Flag, Presence::Optional),
    key("credentials_file", Shape::Text, Presence::Optional),
    key("token_file", Shape::Text, Presence::Optional),
    key("ca_file", Shape::Text, Presence::Optional),
    bound("timeout", Shape::Duration, "10s"),
    bound("batch", Shape::Integer, "500"),
];

static OTLP: &[Key] = &[
    key(
        "endpoint",
        Shape::Text,
        Presence::Required("endpoint: https://collector.example.com:4318"),
    ),
    key("name", Shape::Text, Presence::Default("otlp")),
    key("token_file", Shape::Text, Presence::Optional),
    key("ca_file", Shape::Text, Presence::Optional),
    bound("timeout", Shape::Duration, "10s"),
    bound("batch", Shape::Integer, "500"),
    bound("batch_bytes", Shape::Size, "1MiB"),
];
