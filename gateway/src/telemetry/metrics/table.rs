//! The table of metrics: the one place to add one. Registration and the reference docs come from it.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricRow {
    /// Its name, with its unit.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// Every metric.
pub const METRICS: &[MetricRow] = &[
    OPERATIONS,
    AUTHN_ATTEMPTS,
    CHALLENGES,
    DECISIONS,
    DECISION_DURATION,
    NOTICES,
    SHADOW_DISAGREEMENTS,
    REFUSED,
    ANOMALIES,
    AUDIT_EVENTS,
    AUDIT_QUEUE,
    JWKS_LAST_SUCCESS,
    API_KEY_SUNSET,
    RELOAD,
    CONNECTIONS,
    TURNED_AWAY,
    STREAMS,
    UPSTREAM_UP,
    UPSTREAM_DROPPED,
    BUILD_INFO,
];

pub(super) const OPERATIONS: MetricRow = MetricRow {
    name: "mcp_server_operation_duration_seconds",
    kind: MetricKind::Histogram(&[
        0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
        120.0, 300.0,
    ]),
    labels: &[
        "server",
        "mcp_method_name",
        "gen_ai_tool_name",
        "error_type",
    ],
    help: "Time from the first byte of an MCP request to the last of its answer; error_type is empty when it succeeded.",
};

pub(super) const AUTHN_ATTEMPTS: MetricRow = MetricRow {
    name: "gatewright_authn_attempts_total",
    kind: MetricKind::Counter,
    labels: &["server", "scheme", "result"],
    help: "Requests by the credential they came with and what became of it.",
};

pub(super) const CHALLENGES: MetricRow = MetricRow {
    name: "gatewright_challenges_total",
    kind: MetricKind::Counter,
    labels: &["server", "status", "error"],
    help: "Answers that tell a client how to authenticate; error is empty when no credential was sent.",
};

pub(super) const DECISIONS: MetricRow = MetricRow {
    name: "gatewright_decisions_total",
    kind: MetricKind::Counter,
    labels: &["server", "decision", "reason", "mode"],
    help: "Decisions about requests; reason is empty when the request was allowed.",
};

pub(super) const DECISION_DURATION: MetricRow = MetricRow {
    name: "gatewright_decision_duration_seconds",
    kind: MetricKind::Histogram(&[
        1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2,
    ]),
    labels: &[],
    help: "Time the policy took to decide.",
};

pub(super) const NOTICES: MetricRow = MetricRow {
    name: "gatewright_notices_total",
    kind: MetricKind::Counter,
    labels: &["server"],
    help: "Allowed calls that can do harm (tiers medium and high): each has a record of kind notice.",
};

pub(super) const SHADOW_DISAGREEMENTS: MetricRow = MetricRow {
    name: "gatewright_shadow_disagreements_total",
    kind: MetricKind::Counter,
    labels: &["server", "from", "to"],
    help: "Decisions that a policy without effect would have made otherwise: from what was decided, to what would have been.",
};

pub(super) const REFUSED: MetricRow = MetricRow {
    name: "gatewright_refused_total",
    kind: MetricKind::Counter,
    labels: &["reason"],
    help: "Requests refused before it was known which server they were for.",
};

pub(super) const ANOMALIES: MetricRow = MetricRow {
    name: "gatewright_anomalies_total",
    kind: MetricKind::Counter,
    labels: &["server", "kind"],
    help: "What servers did that they should not do, or not any more; tool_drift: a tool is not what was pinned.",
};

pub(super) const AUDIT_EVENTS: MetricRow = MetricRow {
    name: "gatewright_audit_events_total",
    kind: MetricKind::Counter,
    labels: &["sink", "result"],
    help: "Audit records: written, failed (the request was refused), or lost (about strangers, under load).",
};

pub(super) const AUDIT_QUEUE: MetricRow = MetricRow {
    name: "gatewright_audit_queue_length",
    kind: MetricKind::Gauge,
    labels: &["sink"],
    help: "Bytes of audit records that are not written yet.",
};

pub(super) const JWKS_LAST_SUCCESS: MetricRow = MetricRow {
    name: "gatewright_jwks_last_success_timestamp_seconds",
    kind: MetricKind::Gauge,
    labels: &["issuer"],
    help: "When the keys of an issuer were last fetched, in seconds since 1970; 0 for never.",
};

pub(super) const API_KEY_SUNSET: MetricRow = MetricRow {
    name: "gatewright_api_key_sunset_timestamp_seconds",
    kind: MetricKind::Gauge,
    labels: &["server"],
    help: "When the API keys of a server end, in seconds since 1970; absent for a server that takes none.",
};

pub(super) const RELOAD: MetricRow = MetricRow {
    name: "gatewright_config_last_reload_successful",
    kind: MetricKind::Gauge,
    labels: &[],
    help: "1 when the last attempt to load the configuration succeeded, else 0.",
};

pub(super) const CONNECTIONS: MetricRow = MetricRow {
    name: "gatewright_connections_active",
    kind: MetricKind::Gauge,
    labels: &[],
    help: "Connections of agents that are open.",
};

pub(super) const TURNED_AWAY: MetricRow = MetricRow {
    name: "gatewright_connections_refused_total",
    kind: MetricKind::Counter,
    labels: &["reason"],
    help: "Connections closed before a request was known, which leaves no record: `source` has too many, `handshake` failed, `slow` head, `malformed` head (answered 400 or 405).",
};

pub(super) const STREAMS: MetricRow = MetricRow {
    name: "gatewright_streams_active",
    kind: MetricKind::Gauge,
    labels: &["server"],
    help: "Event streams that are open.",
};

pub(super) const UPSTREAM_UP: MetricRow = MetricRow {
    name: "gatewright_upstream_up",
    kind: MetricKind::Gauge,
    labels: &["server"],
    help: "1 when the upstream of a server last answered, else 0.",
};

pub(super) const UPSTREAM_DROPPED: MetricRow = MetricRow {
    name: "gatewright_upstream_messages_dropped_total",
    kind: MetricKind::Counter,
    labels: &["server", "kind"],
    help: "Messages of an upstream that no client got to see; kind is request, notification or response.",
};

pub(super) const BUILD_INFO: MetricRow = MetricRow {
    name: "gatewright_build_info",
    kind: MetricKind::Gauge,
    labels: &["version"],
    help: "Always 1; the label names the version that runs.",
};
