//! The keys below `audit` that say what stands in a record. Only a table.

use super::{Key, Presence, Shape, TEXTS, bound, key};

pub(super) static MODEL: &[Key] = &[
    key("claim", Shape::Text, Presence::Default("agent_model")),
    key("meta", Shape::Text, Presence::Default("gatewright/model")),
    key("header", Shape::Text, Presence::Optional),
];

pub(super) static HOURS: &[Key] = &[
    key(
        "days",
        TEXTS,
        Presence::Defaults(&["mon", "tue", "wed", "thu", "fri"]),
    ),
    key("from", Shape::Text, Presence::Required("from: \"08:00\"")),
    key("to", Shape::Text, Presence::Required("to: \"18:00\"")),
    key(
        "zone",
        Shape::Text,
        Presence::Required("zone: Europe/Berlin"),
    ),
];

pub(super) static ANOMALIES: &[Key] = &[
    bound("learning", Shape::Duration, "24h"),
    bound("window", Shape::Duration, "1m"),
    bound("denials", Shape::Integer, "20"),
    bound("expired", Shape::Integer, "5"),
    bound("calls", Shape::Integer, "120"),
    bound("factor", Shape::Integer, "10"),
    bound("quiet", Shape::Duration, "1h"),
    bound("principals", Shape::Integer, "10000"),
];
