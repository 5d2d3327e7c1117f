//! `limits`: every bound on what a client or a server may make the gateway hold, do or wait for. Never enforces one.

use std::time::Duration;

use crate::mcp::Bounds;

use super::review::Review;
use super::section::Section;

/// Upper bounds, and where it says so lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of all headers.
    pub headers: usize,
    /// Header lines.
    pub header_lines: u32,
    /// Bytes of a token.
    pub token: usize,
    /// Bytes of a list answer that is held to be filtered.
    pub list: usize,
    /// The longest `ttlMs` of a filtered list.
    pub list_ttl: Duration,
    /// Bytes of one event of an upstream.
    pub event: usize,
    /// Bytes of one answer of an upstream.
    pub answer: usize,
    /// How long a stream may be open.
    pub stream_age: Duration,
    /// Brackets inside each other in a message.
    pub json_depth: u32,
    /// Object keys in a message.
    pub json_keys: u32,
    /// Resources, and tasks, that one request may subscribe to.
    pub subscriptions: u32,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Bytes a second that a body has to bring, at the least.
    pub body_rate: usize,
    /// How long one write to a client may take.
    pub write_timeout: Duration,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
    /// Connections.
    pub connections: u32,
    /// Connections of one source address.
    pub connections_per_source: u32,
    /// Requests under way on one HTTP/2 connection.
    pub streams_per_connection: u32,
    /// Bytes of all bodies that are held at once.
    pub bytes_in_flight: usize,
    /// Sessions.
    pub sessions: u32,
    /// Sessions of one principal.
    pub sessions_per_principal: u32,
    /// How long a session may be unused.
    pub session_idle: Duration,
    /// Tasks of which the owner is remembered.
    pub tasks: u32,
    /// Of one principal.
    pub tasks_per_principal: u32,
    /// How long a task is remembered after it was last asked for.
    pub task_idle: Duration,
    /// Failed attempts to authenticate in a second, for one source address.
    pub failures_per_source: u32,
    /// Failed attempts to authenticate in a second, for all.
    pub failures: u32,
}

impl Default for Limits {
    /// What holds where the configuration says nothing.
    fn default() -> Self {
        let message = Bounds::default();
        Self {
            body: 4 * MEBIBYTE,
            headers: 32 * KIBIBYTE,
            header_lines: 100,
            token: 8 * KIBIBYTE,
            list: 8 * MEBIBYTE,
            list_ttl: 5 * MINUTE,
            event: 8 * MEBIBYTE,
            answer: GIBIBYTE,
            stream_age: 24 * HOUR,
            json_depth: message.depth,
            json_keys: message.keys,
            subscriptions: message.subscriptions,
            head_timeout: 10 * SECOND,
            body_timeout: 30 * SECOND,
            body_rate: KIBIBYTE,
            write_timeout: 30 * SECOND,
            idle_timeout: MINUTE,
            connections: 10_000,
            connections_per_source: 1000,
            streams_per_connection: 128,
            bytes_in_flight: 256 * MEBIBYTE,
            sessions: 100_000,
            sessions_per_principal: 1000,
            session_idle: 24 * HOUR,
            tasks: 100_000,
            tasks_per_principal: 1000,
            task_idle: 24 * HOUR,
            failures_per_source: 100,
            failures: 2000,
        }
    }
}

impl Limits {
    /// How much of a client's message is read.
    pub const fn message(&self) -> Bounds {
        Bounds {
            depth: self.json_depth,
            keys: self.json_keys,
            subscriptions: self.subscriptions,
        }
    }
}

/// Reads `limits`.
pub(crate) fn limits(root: &Section<'_>, review: &mut Review<'_>) -> Option<Limits> {
    let section = root.section("limits");
    let mut limits = Limits::default();
    let sizes = sizes(&section, &mut limits, review);
    let counts = counts(&section, &mut limits, review);
    let times = times(&section, &mut limits, review);
    sizes.and(counts).and(times).map(|()| limits)
}

fn sizes(section: &Section<'_>, limits: &mut Limits, review: &mut Review<'_>) -> Option<()> {
    let places = [
        ("body", 64 * MEBIBYTE, &mut limits.body),
        ("headers", MEBIBYTE, &mut limits.headers),
        ("token", MEBIBYTE, &mut limits.token),
        ("list", 64 * MEBIBYTE, &mut limits.list),
        ("event", 64 * MEBIBYTE, &mut limits.event),
        ("answer", TEBIBYTE, &mut limits.answer),
        ("body_rate", MEBIBYTE, &mut limits.body_rate),
        ("bytes_in_flight", TEBIBYTE, &mut limits.bytes_in_flight),
    ];
    fill(places, |name, most| section.size(name, most, review))
}

fn counts(section: &Section<'_>, limits: &mut Limits, review: &mut Review<'_>) -> Option<()> {
    let places = [
        ("header_lines", 256, &mut limits.header_lines),
        ("json_depth", 1000, &mut limits.json_depth),
        ("json_keys", MILLION, &mut limits.json_keys),
        ("subscriptions", MILLION, &mut limits.subscriptions),
        ("connections", MILLION, &mut limits.connections),
        (
            "connections_per_source",
            MILLION,
            &mut limits.connections_per_source,
        ),
        (
            "streams_per_connection",
            MILLION,
            &mut limits.streams_per_connection,
        ),
        ("sessions", 10 * MILLION, &mut limits.sessions),
        (
            "sessions_per_principal",
            MILLION,
            &mut limits.sessions_per_principal,
        ),
        ("tasks", 10 * MILLION, &mut limits.tasks),
        (
            "tasks_per_principal",
            MILLION,
            &mut limits.tasks_per_principal,
        ),
        (
            "failures_per_source",
            MILLION,
            &mut limits.failures_per_source,
        ),
        ("failures", MILLION, &mut limits.failures),
    ];
    fill(places, |name, most| section.count(name, (1, most), review))
}

fn times(section: &Section<'_>, limits: &mut Limits, review: &mut Review<'_>) -> Option<()> {
    let places = [
        (
            "head_timeout",
            (MILLISECOND, HOUR),
            &mut limits.head_timeout,
        ),
        (
            "body_timeout",
            (MILLISECOND, HOUR),
            &mut limits.body_timeout,
        ),
        (
            "write_timeout",
            (MILLISECOND, HOUR),
            &mut limits.write_timeout,
        ),
        (
            "idle_timeout",
            (MILLISECOND, HOUR),
            &mut limits.idle_timeout,
        ),
        ("stream_age", (MILLISECOND, MONTH), &mut limits.stream_age),
        (
            "session_idle",
            (MILLISECOND, MONTH),
            &mut limits.session_idle,
        ),
        ("task_idle", (MILLISECOND, MONTH), &mut limits.task_idle),
        ("list_ttl", (Duration::ZERO, MONTH), &mut limits.list_ttl),
    ];
    fill(places, |name, range| section.duration(name, range, review))
}

/// Puts every bound in its place; all of them are read, so that every mistake is reported.
fn fill<T, R, const N: usize>(
    places: [(&str, R, &mut T); N],
    mut read: impl FnMut(&str, R) -> Option<T>,
) -> Option<()> {
    let mut filled = Some(());
    for (name, range, place) in places {
        match read(name, range) {
            Some(value) => *place = value,
            None => filled = None,
        }
    }
    filled
}

const KIBIBYTE: usize = 1 << 10;
const MEBIBYTE: usize = 1 << 20;
const GIBIBYTE: usize = 1 << 30;
const TEBIBYTE: usize = 1 << 40;
const MILLION: u32 = 1_000_000;
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
