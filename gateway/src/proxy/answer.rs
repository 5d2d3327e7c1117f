//! An answer of one JSON message on its way. A small one is held until it is whole and passes as it came; what is filtered
//! is always held. Never lets a message through that is not the answer to our request.

use bytes::{Bytes, BytesMut};

use crate::mcp::keys::KeyWatch;
use crate::mcp::reply::Summary;
use crate::mcp::weigh::{Standing, Weighed, weigh_body};
use crate::mcp::{Exchange, Judge, ListFault};
use crate::proxy::trim::Unfilterable;

/// Bytes of an answer that nothing is to be taken out of that are held at most; a larger one passes as it comes.
pub(crate) const HELD: usize = 64 * 1024;

/// One JSON answer.
pub(crate) struct Answer {
    exchange: Exchange,
    standing: Standing,
    bound: Bound,
    /// What its head said of its length, where the client was told the same.
    length: Option<usize>,
    stage: Stage,
    gone: Gone,
    summary: Option<Summary>,
}

/// Whether something of it has gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    Nothing,
    Something,
}

/// What is done with more than may be held.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// More bytes than these are refused.
    Held(usize),
    /// It passes, and its keys are watched.
    Watched,
}

enum Stage {
    Holding(Bytes),
    Collecting(BytesMut),
    Flowing(Box<KeyWatch>),
    Over,
}

impl Answer {
    pub(crate) fn new(exchange: Exchange, standing: Standing, bound: Bound) -> Self {
        Self {
            exchange,
            standing,
            bound,
            length: None,
            stage: Stage::Holding(Bytes::new()),
            gone: Gone::Nothing,
            summary: None,
        }
    }

    /// The client was told this length.
    pub(crate) const fn of_length(mut self, length: Option<usize>) -> Self {
        self.length = length;
        self
    }

    pub(crate) const fn has_length(&self) -> bool {
        self.length.is_some()
    }

    pub(crate) const fn summary(&self) -> Option<Summary> {
        self.summary
    }

    /// Takes a piece, `end` with the last; answers what passes now.
    pub(crate) fn push(
        &mut self,
        piece: Option<Bytes>,
        end: bool,
        judge: &mut dyn Judge,
    ) -> Result<Option<Bytes>, Unfilterable> {
        let passed = self.take(piece.unwrap_or_default(), end, judge)?;
        if passed.is_some() {
            self.gone = Gone::Something;
        }
        Ok(passed)
    }

    fn take(
        &mut self,
        piece: Bytes,
        end: bool,
        judge: &mut dyn Judge,
    ) -> Result<Option<Bytes>, Unfilterable> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Holding(held) if held.is_empty() => self.hold(Held::One(piece), end, judge),
            Stage::Holding(held) if piece.is_empty() => self.hold(Held::One(held), end, judge),
            Stage::Holding(held) => {
                let mut all = BytesMut::from(held);
                all.extend_from_slice(&piece);
                self.hold(Held::Many(all), end, judge)
            }
            Stage::Collecting(mut all) => {
                all.extend_from_slice(&piece);
                self.hold(Held::Many(all), end, judge)
            }
            Stage::Flowing(watch) => self.flow(watch, piece, end),
            Stage::Over if piece.is_empty() => Ok(None),
            Stage::Over => Err(ListFault::NotAMessage.into()),
        }
    }

    /// Our own message in its place, while nothing of it has gone out and where it fits.
    pub(crate) fn replaced_by(&self, message: &Bytes) -> Option<Bytes> {
        match self.gone {
            Gone::Something => None,
            Gone::Nothing => fit(message, self.length),
        }
    }

    fn hold(
        &mut self,
        held: Held,
        end: bool,
        judge: &mut dyn Judge,
    ) -> Result<Option<Bytes>, Unfilterable> {
        let bytes = held.bytes();
        let limit = match self.bound {
            Bound::Held(limit) => limit,
            Bound::Watched => HELD,
        };
        if bytes.len() > limit {
            let Bound::Watched = self.bound else {
                return Err(Unfilterable::TooLarge);
            };
            let watch = Box::new(KeyWatch::new(&self.exchange));
            return self.flow(watch, held.freeze(), end);
        }
        if !end && self.length != Some(bytes.len()) {
            self.stage = held.into_stage();
            return Ok(None);
        }
        let whole = held.freeze();
        match weigh_body(&whole, self.standing, &self.exchange, judge)? {
            Weighed::Pass(passed) => {
                self.summary = passed.summary;
                Ok(Some(whole))
            }
            Weighed::Rewritten { message, passed } => {
                self.summary = passed.summary;
                let fitting = fit(&Bytes::from(message), self.length);
                fitting.map(Some).ok_or(Unfilterable::TooLarge)
            }
            Weighed::Drop => Err(ListFault::WrongId.into()),
        }
    }

    fn flow(
        &mut self,
        mut watch: Box<KeyWatch>,
        piece: Bytes,
        end: bool,
    ) -> Result<Option<Bytes>, Unfilterable> {
        let seen = watch.push(&piece);
        let seen = if end {
            seen.and_then(|()| watch.finish())
        } else {
            seen
        };
        self.stage = Stage::Flowing(watch);
        seen?;
        Ok(Some(piece))
    }
}

enum Held {
    One(Bytes),
    Many(BytesMut),
}

impl Held {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes,
        }
    }

    fn freeze(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }

    fn into_stage(self) -> Stage {
        match self {
            Self::One(bytes) => Stage::Holding(bytes),
            Self::Many(bytes) => Stage::Collecting(bytes),
        }
    }
}

/// A message for a body whose length the client knows already: white space behind a JSON text means nothing (RFC 8259
/// section 2). Nothing when it is too long.
fn fit(message: &Bytes, length: Option<usize>) -> Option<Bytes> {
    let Some(length) = length else {
        return Some(message.clone());
    };
    if message.len() > length {
        return None;
    }
    let mut padded = BytesMut::from(message.as_ref());
    padded.resize(length, b' ');
    Some(padded.freeze())
}
