//! Looks through a whole event stream, event by event. Never passes anything on after the first fault.

use std::time::Instant;

use super::ascii;
use super::coalesce::Changes;
use super::judge::{Exchange, Judge};
use super::listing::{Kind, ListFault};
use super::reply::Summary;
use super::seen::{Onward, Seen};
use super::sse::{Block, SseItem, SseReader, write_event};
use super::weigh::{Answered, Passed, Weighed, weigh_event};

/// The filter of one event stream.
#[derive(Debug)]
pub struct SseFilter {
    reader: SseReader,
    exchange: Exchange,
    answered: Answered,
    fault: Option<ListFault>,
    changes: Changes,
    summary: Option<Summary>,
    removed: usize,
    resumable: bool,
}

/// An event on its way.
#[derive(Default)]
struct Event {
    kind: Option<String>,
    id: Option<String>,
    data: Option<String>,
    retry: Option<u64>,
    raw: Option<Vec<u8>>,
}

impl SseFilter {
    /// For what answers the request of `exchange`. Events hold at most `cap` bytes.
    pub fn new(exchange: Exchange, cap: usize) -> Self {
        Self {
            reader: SseReader::new(cap),
            exchange,
            answered: Answered::No,
            fault: None,
            changes: Changes::default(),
            summary: None,
            removed: 0,
            resumable: false,
        }
    }

    /// Takes the next bytes of the server and appends what may pass to `out`. After a fault `out` ends
    /// with whole events, and every further call gives the same fault.
    ///
    /// # Errors
    /// When the rest of the stream cannot be passed on.
    pub fn push(
        &mut self,
        chunk: &[u8],
        now: Instant,
        judge: &mut dyn Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        self.check()?;
        let mut blocks = Vec::new();
        let read = self
            .reader
            .push(chunk, &mut blocks)
            .map_err(ListFault::from);
        let written = self.write(blocks, now, judge, out);
        self.settle(written.and(read))
    }

    /// Takes the end of the stream.
    ///
    /// # Errors
    /// When its last event cannot be passed on.
    pub fn finish(
        &mut self,
        now: Instant,
        judge: &mut dyn Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        self.check()?;
        let mut blocks = Vec::new();
        let read = self.reader.finish(&mut blocks).map_err(ListFault::from);
        let written = self.write(blocks, now, judge, out);
        self.changes.release_all(out);
        self.settle(written.and(read))
    }

    /// Has a response passed? When the stream ends before one did, the client is still waiting.
    pub fn is_answered(&self) -> bool {
        self.answered == Answered::Yes
    }

    /// Whether the client can ask for the rest of a stream that breaks off: before 2026-07-28, by the id of an event.
    pub fn is_resumable(&self) -> bool {
        self.resumable
    }

    /// How many items were taken out so far.
    pub fn removed(&self) -> usize {
        self.removed
    }

    /// What the response said of how the call went.
    pub fn summary(&self) -> Option<Summary> {
        self.summary
    }

    fn check(&self) -> Result<(), ListFault> {
        self.fault.map_or(Ok(()), Err)
    }

    fn settle(&mut self, result: Result<(), ListFault>) -> Result<(), ListFault> {
        self.fault = result.err();
        result
    }

    fn write(
        &mut self,
        blocks: Vec<Block>,
        now: Instant,
        judge: &mut dyn Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        for Block { item, raw } in blocks {
            match item {
                SseItem::Event {
                    event,
                    id,
                    data,
                    retry,
                } => {
                    let mut raw = raw.filter(|_| !self.exchange.purpose.is_filtered());
                    let id = self.pass_id(id, &mut raw, judge);
                    let event = Event {
                        kind: event,
                        id,
                        data,
                        retry,
                        raw,
                    };
                    self.changes.release(now, out);
                    self.event(event, now, judge, out)?;
                }
                item @ (SseItem::Comment | SseItem::Blank) => match raw {
                    Some(raw) if !self.exchange.purpose.is_filtered() => {
                        out.extend_from_slice(&raw);
                    }
                    Some(_) | None => write_event(&item, out),
                },
            }
        }
        Ok(())
    }

    fn pass_id(
        &mut self,
        id: Option<String>,
        raw: &mut Option<Vec<u8>>,
        judge: &mut dyn Judge,
    ) -> Option<String> {
        let passed = id.filter(|id| {
            let passes = judge.passes(&Seen::EventId(id)) == Onward::Pass;
            if !passes {
                *raw = None;
            }
            passes
        });
        self.resumable |= passed.is_some();
        passed
    }

    fn event(
        &mut self,
        mut event: Event,
        now: Instant,
        judge: &mut dyn Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), ListFault> {
        let Some(data) = event.data.take() else {
            event.write(None, out);
            return Ok(());
        };
        if data.is_empty() {
            event.write(Some(data), out);
            return Ok(());
        }
        match weigh_event(&data, self.answered, &self.exchange, judge)? {
            Weighed::Drop => event.write_bare(out),
            Weighed::Pass(passed) => {
                let method = passed.method.as_deref().unwrap_or_default();
                if self.changes.admits(method, now) {
                    self.note(&passed, out);
                    let data = match event.raw {
                        Some(_) => data,
                        None => one_line(&data)?,
                    };
                    event.write(Some(data), out);
                } else {
                    self.changes.keep(method, notice(&data)?);
                    event.write_bare(out);
                }
            }
            Weighed::Rewritten { message, passed } => {
                self.note(&passed, out);
                let data = String::from_utf8(message).map_err(|_| ListFault::NotAMessage)?;
                Event { raw: None, ..event }.write(Some(data), out);
            }
        }
        Ok(())
    }

    fn note(&mut self, passed: &Passed, out: &mut Vec<u8>) {
        if passed.kind != Kind::Response {
            return;
        }
        // Nobody reads on behind the response.
        self.changes.release_all(out);
        self.removed += passed.removed;
        self.summary = passed.summary.or(self.summary);
        if self.exchange.purpose.id().is_some() {
            self.answered = Answered::Yes;
        }
    }
}

impl Event {
    fn write(self, data: Option<String>, out: &mut Vec<u8>) {
        if let Some(raw) = &self.raw {
            out.extend_from_slice(raw);
            return;
        }
        let Self {
            kind, id, retry, ..
        } = self;
        let item = SseItem::Event {
            event: kind,
            id,
            data,
            retry,
        };
        write_event(&item, out);
    }

    /// Without its data: the client still learns the id to resume after.
    fn write_bare(self, out: &mut Vec<u8>) {
        if self.id.is_none() && self.retry.is_none() {
            return;
        }
        let bare = Self {
            kind: None,
            raw: None,
            ..self
        };
        bare.write(None, out);
    }
}

/// An event of its own with this message.
fn notice(data: &str) -> Result<Vec<u8>, ListFault> {
    let mut out = Vec::new();
    Event::default().write(Some(one_line(data)?), &mut out);
    Ok(out)
}

/// The strict JSON `data` on one line.
fn one_line(data: &str) -> Result<String, ListFault> {
    String::from_utf8(ascii::encode(data)).map_err(|_| ListFault::NotAMessage)
}

#[cfg(test)]
mod tests;
