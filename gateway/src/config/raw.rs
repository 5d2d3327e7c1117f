//! What a file may say: every key, the shape of its value and its default. One row adds a key; no value is judged here.

use super::policy_keys::POLICY;

/// One key of a map.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
}

/// What kind of value stands somewhere.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// A number of bytes, or a string like `4MiB`.
    Size,
    /// A string like `30s`.
    Duration,
    /// A map with these keys.
    Section(&'static [Key]),
    /// A list of such values.
    Each(&'static Shape),
    /// A map from any name to such values.
    Named(&'static Shape),
    /// A map with these keys, and from any other name to such values.
    NamedBeside(&'static [Key], &'static Shape),
    /// A string, or else such a value.
    TextOr(&'static Shape),
    /// Any value at all.
    Any,
}

/// What it means when a key is absent.
#[derive(Debug)]
pub(crate) enum Presence {
    /// It must be there; the text shows how to write it.
    Required(&'static str),
    /// It means that there is none.
    Optional,
    /// It means this text.
    Default(&'static str),
    /// It means this list.
    Defaults(&'static [&'static str]),
}

pub(crate) const fn key(name: &'static str, shape: Shape, presence: Presence) -> Key {
    Key {
        name,
        shape,
        presence,
    }
}

pub(crate) const TEXTS: Shape = Shape::Each(&Shape::Text);

/// The keys of the file itself.
pub(crate) static ROOT: &[Key] = &[
    key("version", Shape::Integer, Presence::Required("version: 1")),
    key("listen", Shape::Section(LISTEN), Presence::Optional),
    key(
        "public_url",
        Shape::Text,
        Presence::Required("public_url: https://mcp.example.com"),
    ),
    key(
        "issuers",
        Shape::Each(&Shape::Section(ISSUER)),
        Presence::Required(ISSUERS_EXAMPLE),
    ),
    key(
        "servers",
        Shape::Each(&Shape::Section(SERVER)),
        Presence::Required(SERVERS_EXAMPLE),
    ),
    key("policy", Shape::Section(POLICY), Presence::Optional),
    key("dpop", Shape::Section(DPOP), Presence::Optional),
    key("audit", Shape::Section(AUDIT), Presence::Optional),
    key("state", Shape::Text, Presence::Default("memory")),
    key("ops", Shape::Section(OPS), Presence::Optional),
    key("admin", Shape::Section(ADMIN), Presence::Optional),
    key("pins", Shape::Section(PINS), Presence::Optional),
    key("limits", Shape::Section(LIMITS), Presence::Optional),
    key("shutdown", Shape::Section(SHUTDOWN), Presence::Optional),
    key("deny_http_status", Shape::Integer, Presence::Optional),
    key("insecure", Shape::Section(INSECURE), Presence::Optional),
];

static LISTEN: &[Key] = &[
    key("address", Shape::Text, Presence::Default("127.0.0.1:8080")),
    key("tls", Shape::Section(TLS), Presence::Optional),
    key("allowed_origins", TEXTS, Presence::Defaults(&[])),
    key("client_cert_from", TEXTS, Presence::Defaults(&[])),
];

static TLS: &[Key] = &[
    key(
        "cert_file",
        Shape::Text,
        Presence::Required("cert_file: tls.crt"),
    ),
    key(
        "key_file",
        Shape::Text,
        Presence::Required("key_file: tls.key"),
    ),
    key("client_ca_file", Shape::Text, Presence::Optional),
];

static ISSUER: &[Key] = &[
    key("name", Shape::Text, Presence::Required("name: corp")),
    key(
        "url",
        Shape::Text,
        Presence::Required("url: https://auth.example.com"),
    ),
    key("jwks_uri", Shape::Text, Presence::Optional),
    key("jwks_file", Shape::Text, Presence::Optional),
    key(
        "algorithms",
        TEXTS,
        Presence::Defaults(&["ES256", "RS256", "PS256", "EdDSA"]),
    ),
    key("token_types", TEXTS, Presence::Defaults(&["at+jwt"])),
    key(
        "roles_claim",
        Shape::TextOr(&TEXTS),
        Presence::Default("roles"),
    ),
    key("client_claim", Shape::Text, Presence::Default("client_id")),
    key("actor_claim", Shape::Text, Presence::Default("act")),
    key("model_claim", Shape::Text, Presence::Optional),
    key(
        "max_token_lifetime",
        Shape::Duration,
        Presence::Default("1h"),
    ),
    key("profile", Shape::Text, Presence::Default("strict")),
    key("service_clients", TEXTS, Presence::Defaults(&[])),
    key(
        "introspection",
        Shape::Section(INTROSPECTION),
        Presence::Optional,
    ),
];

static INTROSPECTION: &[Key] = &[
    key(
        "endpoint",
        Shape::Text,
        Presence::Required("endpoint: https://auth.example.com/introspect"),
    ),
    key(
        "client_id",
        Shape::Text,
        Presence::Required("client_id: gatewright"),
    ),
    key(
        "client_secret_file",
        Shape::Text,
        Presence::Required("client_secret_file: introspection.secret"),
    ),
    key("cache", Shape::Duration, Presence::Default("1m")),
];

static SERVER: &[Key] = &[
    key("name", Shape::Text, Presence::Required("name: crm")),
    key("path", Shape::Text, Presence::Required("path: /crm/mcp")),
    key(
        "upstream",
        Shape::Text,
        Presence::Required("upstream: http://127.0.0.1:3000/mcp"),
    ),
    key("ca_file", Shape::Text, Presence::Optional),
    key("issuers", TEXTS, Presence::Optional),
    key("audiences", TEXTS, Presence::Optional),
    key("scopes", TEXTS, Presence::Defaults(&[])),
    key("single_audience", Shape::Flag, Presence::Optional),
    key("sender_constraint", Shape::Text, Presence::Default("any")),
    key("api_keys", Shape::Section(API_KEYS), Presence::Optional),
    key("max_token_age", Shape::Duration, Presence::Optional),
    key("max_auth_age", Shape::Duration, Presence::Optional),
    key("acr", TEXTS, Presence::Defaults(&[])),
    key("trust_annotations", Shape::Flag, Presence::Optional),
    key("tiers", Shape::Section(TIERS), Presence::Optional),
    key("calls_outlive_token", Shape::Flag, Presence::Optional),
    key("server_requests", TEXTS, Presence::Defaults(&[])),
    key("elicitation_hosts", TEXTS, Presence::Defaults(&[])),
    key("redact", TEXTS, Presence::Defaults(&[])),
    key("pins", Shape::Text, Presence::Default("off")),
    key("connect_timeout", Shape::Duration, Presence::Default("5s")),
    key("read_timeout", Shape::Duration, Presence::Default("5m")),
];

static API_KEYS: &[Key] = &[
    key(
        "keys_file",
        Shape::Text,
        Presence::Required("keys_file: keys.yaml"),
    ),
    key(
        "hash_key_file",
        Shape::Text,
        Presence::Required("hash_key_file: keys.hash-key"),
    ),
    key(
        "sunset",
        Shape::Text,
        Presence::Required("sunset: 2027-01-31"),
    ),
];

/// The keys of a row in the file of API keys.
pub(crate) static API_KEY_ROW: &[Key] = &[
    key("id", Shape::Text, Presence::Required("id: 0a1b2c3d4e5f")),
    key(
        "hash",
        Shape::Text,
        Presence::Required("hash: hmac-sha256:<64 characters>"),
    ),
    key(
        "subject",
        Shape::Text,
        Presence::Required("subject: billing"),
    ),
    key(
        "client",
        Shape::Text,
        Presence::Required("client: billing-bot"),
    ),
    key("roles", TEXTS, Presence::Defaults(&[])),
    key("scopes", TEXTS, Presence::Defaults(&[])),
    key("kind", Shape::Text, Presence::Default("service")),
    key("servers", TEXTS, Presence::Defaults(&[])),
    key("sunset", Shape::Text, Presence::Optional),
    key(
        "created",
        Shape::Text,
        Presence::Required("created: 2026-11-22"),
    ),
];

static TIERS: &[Key] = &[
    key("low", Shape::Section(TIER), Presence::Optional),
    key("medium", Shape::Section(TIER), Presence::Optional),
    key("high", Shape::Section(HIGH), Presence::Optional),
];

static HIGH: &[Key] = &[
    key("tools", TEXTS, Presence::Optional),
    key("annotations", TEXTS, Presence::Defaults(&[])),
    key("max_token_age", Shape::Duration, Presence::Optional),
    key("max_auth_age", Shape::Duration, Presence::Optional),
    key("acr", TEXTS, Presence::Defaults(&[])),
    key("approval", Shape::Text, Presence::Default("required")),
];

static TIER: &[Key] = &[
    key("tools", TEXTS, Presence::Optional),
    key("annotations", TEXTS, Presence::Defaults(&[])),
    key("max_token_age", Shape::Duration, Presence::Optional),
    key("max_auth_age", Shape::Duration, Presence::Optional),
    key("acr", TEXTS, Presence::Defaults(&[])),
];

static DPOP: &[Key] = &[
    key("nonce", Shape::Text, Presence::Default("off")),
    key("window", Shape::Duration, Presence::Default("5m")),
    key("nonce_key_file", Shape::Text, Presence::Optional),
];

static AUDIT: &[Key] = &[
    key("ledger", Shape::Text, Presence::Default("./audit")),
    key("durability", Shape::Text, Presence::Default("os")),
    key("on_failure", Shape::Text, Presence::Default("deny")),
    key("arguments", Shape::Text, Presence::Default("digest")),
    key("queue", Shape::Size, Presence::Default("16MiB")),
    key("wait", Shape::Duration, Presence::Default("2s")),
];

static OPS: &[Key] = &[key(
    "address",
    Shape::Text,
    Presence::Default("127.0.0.1:9180"),
)];

static ADMIN: &[Key] = &[key(
    "socket",
    Shape::Text,
    Presence::Default("./gatewright.sock"),
)];

static PINS: &[Key] = &[key("directory", Shape::Text, Presence::Default("./pins"))];

static LIMITS: &[Key] = &[
    bound("body", Shape::Size, "4MiB"),
    bound("headers", Shape::Size, "32KiB"),
    bound("header_lines", Shape::Integer, "100"),
    bound("token", Shape::Size, "8KiB"),
    bound("list", Shape::Size, "8MiB"),
    bound("list_ttl", Shape::Duration, "5m"),
    bound("event", Shape::Size, "8MiB"),
    bound("answer", Shape::Size, "1GiB"),
    bound("stream_age", Shape::Duration, "24h"),
    bound("json_depth", Shape::Integer, "64"),
    bound("json_keys", Shape::Integer, "10000"),
    bound("subscriptions", Shape::Integer, "256"),
    bound("head_timeout", Shape::Duration, "10s"),
    bound("body_timeout", Shape::Duration, "30s"),
    bound("body_rate", Shape::Size, "1KiB"),
    bound("write_timeout", Shape::Duration, "30s"),
    bound("idle_timeout", Shape::Duration, "1m"),
    bound("connections", Shape::Integer, "10000"),
    bound("connections_per_source", Shape::Integer, "1000"),
    bound("streams_per_connection", Shape::Integer, "128"),
    bound("bytes_in_flight", Shape::Size, "256MiB"),
    bound("sessions", Shape::Integer, "100000"),
    bound("sessions_per_principal", Shape::Integer, "1000"),
    bound("session_idle", Shape::Duration, "24h"),
    bound("tasks", Shape::Integer, "100000"),
    bound("tasks_per_principal", Shape::Integer, "1000"),
    bound("task_idle", Shape::Duration, "24h"),
    bound("failures_per_source", Shape::Integer, "100"),
    bound("failures", Shape::Integer, "2000"),
];

/// A bound has a default.
const fn bound(name: &'static str, shape: Shape, default: &'static str) -> Key {
    key(name, shape, Presence::Default(default))
}

static SHUTDOWN: &[Key] = &[key("drain", Shape::Duration, Presence::Default("20s"))];

static INSECURE: &[Key] = &[key(
    "plain_public_listener",
    Shape::Flag,
    Presence::Optional,
)];

const ISSUERS_EXAMPLE: &str = "issuers: [{ name: corp, url: https://auth.example.com }]";
const SERVERS_EXAMPLE: &str =
    "servers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]";
