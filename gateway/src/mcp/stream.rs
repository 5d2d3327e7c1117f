//! Filters a whole event stream, event by event. Never passes anything on after the first fault.

use super::call::RequestId;
use super::listing::{Filtered, Item, Kind, ListFault, Listing, filter, filter_any};
use super::sse::{SseItem, SseReader, write_event};
use super::version::Era;

/// The filter of one event stream.
#[derive(Debug)]
pub struct SseFilter {
    reader: SseReader,
    scope: Scope,
    era: Era,
    state: State,
    removed: usize,
}

#[derive(Debug)]
enum Scope {
    List { listing: Listing, id: RequestId },
    Any,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    Answered,
    Broken(ListFault),
}

impl SseFilter {
    /// For the answer to one list request with this id. Events hold at most `cap` bytes.
    pub fn for_list(listing: Listing, era: Era, id: RequestId, cap: usize) -> Self {
        Self::new(Scope::List { listing, id }, era, cap)
    }

    /// For a stream on which any response may come. Events hold at most `cap` bytes.
    pub fn for_stream(era: Era, cap: usize) -> Self {
        Self::new(Scope::Any, era, cap)
    }

    fn new(scope: Scope, era: Era, cap: usize) -> Self {
        Self {
            reader: SseReader::new(cap),
            scope,
            era,
            state: State::Open,
            removed: 0,
        }
    }

    /// Takes the next bytes of the server and appends what may pass to `out`. After a fault `out` ends
    /// with whole events, and every further call gives the same fault.
    pub fn push(
        &mut self,
        chunk: &[u8],
        allowed: &mut dyn FnMut(Listing, Item<'_>) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        self.check()?;
        let mut items = Vec::new();
        let read = self.reader.push(chunk, &mut items).map_err(ListFault::from);
        let written = self.write(items, allowed, out);
        self.settle(written.and(read))
    }

    /// Takes the end of the stream.
    pub fn finish(
        &mut self,
        allowed: &mut dyn FnMut(Listing, Item<'_>) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        self.check()?;
        let mut items = Vec::new();
        let read = self.reader.finish(&mut items).map_err(ListFault::from);
        let written = self.write(items, allowed, out);
        self.settle(written.and(read))
    }

    /// Has a response passed? When the stream ends before one did, the client is still waiting.
    pub fn is_answered(&self) -> bool {
        matches!(self.state, State::Answered)
    }

    /// How many items were taken out so far.
    pub fn removed(&self) -> usize {
        self.removed
    }

    fn check(&self) -> Result<(), ListFault> {
        match self.state {
            State::Broken(fault) => Err(fault),
            State::Open | State::Answered => Ok(()),
        }
    }

    fn settle(&mut self, result: Result<(), ListFault>) -> Result<(), ListFault> {
        if let Err(fault) = result {
            self.state = State::Broken(fault);
        }
        result
    }

    fn write(
        &mut self,
        items: Vec<SseItem>,
        allowed: &mut dyn FnMut(Listing, Item<'_>) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        for item in items {
            match item {
                SseItem::Event {
                    event,
                    id,
                    data: Some(data),
                    retry,
                } if !data.is_empty() => {
                    let filtered = self.filter(&data, allowed)?;
                    let data = Some(
                        String::from_utf8(filtered.message).map_err(|_| ListFault::NotAMessage)?,
                    );
                    write_event(
                        &SseItem::Event {
                            event,
                            id,
                            data,
                            retry,
                        },
                        out,
                    );
                    self.removed += filtered.removed;
                    if filtered.kind == Kind::Response {
                        self.state = State::Answered;
                    }
                }
                item @ (SseItem::Event { .. } | SseItem::Comment) => write_event(&item, out),
            }
        }
        Ok(())
    }

    fn filter(
        &self,
        data: &str,
        allowed: &mut dyn FnMut(Listing, Item<'_>) -> bool,
    ) -> Result<Filtered, ListFault> {
        match &self.scope {
            Scope::Any => filter_any(data.as_bytes(), self.era, allowed),
            Scope::List { listing, id } => {
                let mut judge = |item: Item<'_>| allowed(*listing, item);
                filter(data.as_bytes(), *listing, self.era, Some(id), &mut judge)
            }
        }
    }
}

#[cfg(test)]
mod tests;
