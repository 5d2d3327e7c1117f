//! Watches an answer go by and tells the books what came. Holds one event, or one JSON answer, of at most 64 KiB.

use crate::mcp::Seen;
use crate::mcp::sse::{SseItem, SseReader};
use crate::mcp::witness::witness;
use crate::proxy::observe::observe;
use crate::proxy::progress::Forwarding;

/// What of an answer is being read.
#[derive(Default)]
pub(crate) enum Watch {
    /// Nothing yet.
    #[default]
    Waiting,
    /// One message.
    Json(Vec<u8>),
    /// Events.
    Events(SseReader),
    /// Nothing any more.
    Over,
}

const MOST_HELD: usize = 64 * 1024;

impl Forwarding {
    /// Takes the next bytes that go to the client.
    pub(crate) fn watch(&mut self, bytes: &[u8], end: bool) {
        let mut watch = std::mem::replace(&mut self.watch, Watch::Over);
        if matches!(watch, Watch::Waiting) {
            watch = if self.stream.is_some() {
                Watch::Events(SseReader::new(MOST_HELD))
            } else {
                Watch::Json(Vec::new())
            };
        }
        let goes_on = match &mut watch {
            Watch::Json(held) => {
                held.extend_from_slice(bytes);
                if end {
                    let _ = witness(held, &mut |seen| observe(self, seen));
                }
                held.len() <= MOST_HELD
            }
            Watch::Events(reader) => {
                let mut items = Vec::new();
                let is_read = reader.push(bytes, &mut items).is_ok();
                for item in &items {
                    self.note(item);
                }
                is_read
            }
            Watch::Waiting | Watch::Over => false,
        };
        if goes_on {
            self.watch = watch;
        }
    }

    fn note(&self, item: &SseItem) {
        let SseItem::Event { id, data, .. } = item else {
            return;
        };
        if let Some(id) = id {
            let _ = observe(self, &Seen::EventId(id));
        }
        if let Some(data) = data {
            let _ = witness(data.as_bytes(), &mut |seen| observe(self, seen));
        }
    }
}
