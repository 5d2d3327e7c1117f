//! What the ledger writes about itself. Never anything about a request.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::error::AuditError;
use super::event::{Kind, Schema};
use super::id::{EventId, EventIds};
use super::line::Line;
use super::part::Gateway;
use super::sealing::Note;
use super::segment::Disturbance;
use super::text::{hexadecimal, moment};
use crate::model::{Clock, Digest, UnixTime};

/// Who writes this ledger, from one start of the process to its end.
#[derive(Debug, Clone)]
pub struct Voice {
    /// The name of the instance.
    pub instance: Box<str>,
    /// The digest of the configuration it was started with.
    pub configuration: Digest,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
}

/// A voice and the names it gives.
#[derive(Debug)]
pub(super) struct Speaker {
    voice: Voice,
    boot: Box<str>,
    ids: EventIds,
}

impl Speaker {
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            boot: Uuid::now_v7().to_string().into(),
            ids: EventIds::default(),
        }
    }

    /// The present moment.
    pub(super) fn now(&self) -> UnixTime {
        self.voice.clock.now()
    }

    /// `notice` as a line.
    pub(super) fn line(&self, notice: &Notice) -> Result<Line, AuditError> {
        let timestamp = self.now();
        let gateway = Gateway {
            instance: (&*self.voice.instance).into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: self.voice.configuration,
        };
        let mut record = Record {
            timestamp,
            action: notice.action(),
            schema: Schema::V1,
            event_id: self.ids.next(timestamp),
            seq: 0,
            kind: notice.kind(),
            segment: None,
            recovered: None,
            checkpoint: None,
            tombstone: None,
            disturbed: None,
            lapse: None,
            gateway,
        };
        match notice {
            Notice::Segment { first } => {
                let (first, boot) = (*first, &*self.boot);
                record.segment = Some(Segment { first, boot });
            }
            Notice::Recovered(recovered) => record.recovered = Some(recovered),
            Notice::Checkpoint { note } => record.checkpoint = Some(Checkpoint { note: &note.0 }),
            Notice::Tombstone(tombstone) => record.tombstone = Some(tombstone),
            Notice::Disturbed(disturbed) => record.disturbed = Some(disturbed),
            Notice::Lapsed(lapsed) => record.lapse = Some(lapsed),
        }
        Line::of(&record)
    }
}

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// A segment begins.
    Segment {
        /// With this record.
        first: u64,
    },
    /// The last segment did not end in order.
    Recovered(Recovered),
    /// Somebody signed the chain.
    Checkpoint {
        /// The signed text.
        note: Note,
    },
    /// Records are deleted.
    Tombstone(Tombstone),
    /// Somebody else changed the segment under way.
    Disturbed(Disturbed),
    /// Requests passed before their records were kept, or the chain goes on elsewhere.
    Lapsed(Lapsed),
}

impl Notice {
    const fn action(&self) -> &'static str {
        match self {
            Self::Segment { .. } => "ledger/segment",
            Self::Recovered(_) => "ledger/recovered",
            Self::Checkpoint { .. } => "ledger/checkpoint",
            Self::Tombstone(_) => "ledger/tombstone",
            Self::Disturbed(_) => "ledger/disturbed",
            Self::Lapsed(_) => "ledger/lapsed",
        }
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Segment { .. } | Self::Recovered(_) | Self::Lapsed(_) => Kind::Lifecycle,
            Self::Checkpoint { .. } | Self::Tombstone(_) => Kind::Checkpoint,
            Self::Disturbed(_) => Kind::Anomaly,
        }
    }
}

/// What a start found of a stop that was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Recovered {
    /// The hash of the last whole record.
    #[serde(serialize_with = "hexadecimal")]
    pub(super) head: Digest,
    /// How many bytes behind it were set aside.
    pub(super) bytes: u64,
    /// The file that has them, in `aside`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
}

/// Records that are deleted after this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Tombstone {
    /// The first of them.
    pub(super) first: u64,
    /// The last of them.
    pub(super) last: u64,
    /// The hash of the last of them.
    #[serde(serialize_with = "hexadecimal")]
    pub(super) head: Digest,
    /// The signed text.
    pub(super) note: Note,
}

/// What somebody else did to a segment under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Disturbed {
    /// The name of its file.
    pub(super) file: String,
    /// What was found.
    pub(super) found: Disturbance,
    /// How many bytes there should have been.
    pub(super) expected_bytes: u64,
    /// How many there were.
    pub(super) bytes: u64,
}

/// What happened while records could not be kept in their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Lapsed {
    /// How the gateway went on.
    pub(super) mode: Mode,
    /// What the system said.
    pub(super) cause: String,
    /// For how long nothing could be written, in milliseconds.
    pub(super) duration_ms: u64,
    /// How many requests passed before their records were written.
    pub(super) passed: u64,
    /// How many of these have no record.
    pub(super) lost: u64,
}

/// How the gateway went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Without records.
    Continue,
    /// With records elsewhere.
    Spill,
}

/// The members stand in the order of every other record.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(serialize_with = "moment")]
    timestamp: UnixTime,
    action: &'static str,
    schema: Schema,
    event_id: EventId,
    seq: u64,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<Segment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<&'a Recovered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tombstone: Option<&'a Tombstone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disturbed: Option<&'a Disturbed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lapse: Option<&'a Lapsed>,
    gateway: Gateway<'a>,
}

#[derive(Serialize)]
struct Segment<'a> {
    first: u64,
    boot: &'a str,
}

#[derive(Serialize)]
struct Checkpoint<'a> {
    note: &'a str,
}
