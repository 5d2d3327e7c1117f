//! The members around a JSON-RPC message (JSON-RPC 2.0 sections 4 and 5). Never looks inside them.

use std::ops::Range;

use super::document::{Document, Member};

/// The top-level members of one message, wherever it came from.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) id: Option<Range<usize>>,
    pub(super) method: Option<Range<usize>>,
    pub(super) params: Option<Range<usize>>,
    pub(super) result: Option<Range<usize>>,
    pub(super) error: Option<Range<usize>>,
}

/// Why something is no JSON-RPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EnvelopeFault {
    NotAnObject,
    UnknownMember,
    VersionMissing,
}

impl EnvelopeFault {
    /// The cause in fixed words, for the operator's log.
    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::NotAnObject => "the message is not an object",
            Self::UnknownMember => "an unknown member stands at the top of the message",
            Self::VersionMissing => "jsonrpc is not the string 2.0",
        }
    }
}

impl Envelope {
    /// Opens a message. Members with any other name, or another spelling of these, are refused.
    pub(super) fn of(document: &Document<'_>) -> Result<Self, EnvelopeFault> {
        let root = document.root();
        if !document.is_object(&root) {
            return Err(EnvelopeFault::NotAnObject);
        }
        let mut envelope = Self::default();
        let mut version = None;
        for Member { key, value, .. } in document.members(&root) {
            let slot = match key.as_ref() {
                "jsonrpc" => &mut version,
                "id" => &mut envelope.id,
                "method" => &mut envelope.method,
                "params" => &mut envelope.params,
                "result" => &mut envelope.result,
                "error" => &mut envelope.error,
                _ => return Err(EnvelopeFault::UnknownMember),
            };
            *slot = Some(value.clone());
        }
        match version.and_then(|value| document.string(&value)).as_deref() {
            Some("2.0") => Ok(envelope),
            _ => Err(EnvelopeFault::VersionMissing),
        }
    }
}
