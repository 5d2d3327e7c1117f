//! Whether one message of a server goes on, and as what. Never passes a message that it did not understand.

use std::ops::Range;

use super::asks;
use super::call::RequestId;
use super::document::Document;
use super::incoming::{Facts, Incoming, Sender};
use super::jsonrpc::{Limits, scan};
use super::judge::{Exchange, Judge, Purpose};
use super::listing::{Kind, ListFault, Listing, listings_in};
use super::reply::Summary;
use super::rewrite::Rewrite;
use super::seen::Onward;
use super::version::Era;

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Weighed {
    /// It passes as it is.
    Pass(Passed),
    /// It passes in these words: ASCII, on one line.
    Rewritten {
        /// The message.
        message: Vec<u8>,
        /// What is said of it.
        passed: Passed,
    },
    /// It vanishes.
    Drop,
}

/// What is said of a message that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// What it is.
    pub kind: Kind,
    /// How the call went, if it answers one.
    pub summary: Option<Summary>,
    /// How many items were taken out of lists.
    pub removed: usize,
    /// The method of a notification.
    pub method: Option<Box<str>>,
}

impl Passed {
    const fn of(kind: Kind, summary: Option<Summary>) -> Self {
        Self {
            kind,
            summary,
            removed: 0,
            method: None,
        }
    }
}

/// What the status of an HTTP answer says of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is an answer.
    Answer,
    /// It says why there is none, perhaps without the id of a request that could not be read.
    Refusal,
}

/// Weighs the one message of a JSON body. What is no answer to the request of `exchange` is a fault.
///
/// # Errors
/// Whatever is not exactly one answer, or may not pass.
pub fn weigh_body(
    body: &[u8],
    standing: Standing,
    exchange: &Exchange,
    judge: &mut dyn Judge,
) -> Result<Weighed, ListFault> {
    let document = scan(body, Limits::ANSWER)?;
    let incoming = Incoming::of(&document)?;
    let is_nobodys = match &incoming {
        Incoming::Request { .. } | Incoming::Notification { .. } => {
            return Err(ListFault::NotAMessage);
        }
        Incoming::Result { .. } if standing == Standing::Refusal => {
            return Err(ListFault::NotAMessage);
        }
        Incoming::Error { id, error } => {
            let is_nobodys = matches!(id, Sender::Nobody) && standing == Standing::Refusal;
            is_nobodys && pages_pass(&document, error, judge)
        }
        Incoming::Result { .. } => false,
    };
    if is_nobodys && !exchange.purpose.is_filtered() {
        let summary = summary(&document, &incoming);
        return Ok(Weighed::Pass(Passed::of(Kind::Response, summary)));
    }
    let scale = Scale {
        document: &document,
        exchange,
        answered: Answered::No,
    };
    match scale.weigh(&incoming, judge)? {
        // What stands alone in a body is taken for the answer: nothing else may.
        Weighed::Drop => Err(ListFault::WrongId),
        weighed @ (Weighed::Pass(_) | Weighed::Rewritten { .. }) => Ok(weighed),
    }
}

/// Weighs one message of an event stream.
pub(super) fn weigh_event(
    data: &str,
    answered: Answered,
    exchange: &Exchange,
    judge: &mut dyn Judge,
) -> Result<Weighed, ListFault> {
    let document = scan(data.as_bytes(), Limits::ANSWER)?;
    let incoming = Incoming::of(&document)?;
    let scale = Scale {
        document: &document,
        exchange,
        answered,
    };
    let weighed = scale.weigh(&incoming, judge)?;
    if weighed == Weighed::Drop {
        judge.dropped(kind(&incoming));
    }
    Ok(weighed)
}

/// Whether the response has passed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Yes,
    No,
}

struct Scale<'a> {
    document: &'a Document<'a>,
    exchange: &'a Exchange,
    answered: Answered,
}

impl Scale<'_> {
    fn weigh(&self, incoming: &Incoming<'_>, judge: &mut dyn Judge) -> Result<Weighed, ListFault> {
        if let Some(weighed) = self.foreign(incoming)? {
            return Ok(weighed);
        }
        if !self.asks_pass(incoming, judge)? {
            return Ok(Weighed::Drop);
        }
        let facts = Facts::of(self.document, incoming);
        let goes_on = facts
            .seen()
            .map_or(Onward::Pass, |seen| judge.passes(&seen));
        match (goes_on, incoming) {
            (Onward::Drop, _) => Ok(Weighed::Drop),
            (Onward::Pass, Incoming::Result { id, result }) => self.result(id, result, judge),
            (Onward::Pass, Incoming::Notification { method, .. }) => {
                let mut passed = Passed::of(Kind::Notification, None);
                passed.method = Some(method.as_ref().into());
                Ok(Weighed::Pass(passed))
            }
            (Onward::Pass, Incoming::Request { .. } | Incoming::Error { .. }) => {
                Ok(Weighed::Pass(self.passed(incoming)))
            }
        }
    }

    /// What becomes of a response that answers something else than was asked, or once more.
    fn foreign(&self, incoming: &Incoming<'_>) -> Result<Option<Weighed>, ListFault> {
        let id = match incoming {
            Incoming::Request { .. } | Incoming::Notification { .. } => return Ok(None),
            Incoming::Result { id, .. }
            | Incoming::Error {
                id: Sender::Request(id),
                ..
            } => Some(id),
            Incoming::Error {
                id: Sender::Nobody, ..
            } => None,
        };
        let is_ours = match (self.exchange.purpose.id(), id) {
            (Some(asked), Some(id)) => asked.is_same(id),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        match (is_ours, self.answered) {
            (true, Answered::No) => Ok(None),
            (false, _) if self.exchange.purpose.is_filtered() => Err(ListFault::WrongId),
            (true, Answered::Yes) | (false, _) => Ok(Some(Weighed::Drop)),
        }
    }

    /// Whether the server may ask what it asks. The answer to a request that may not be passed on is a fault: the
    /// client waits for it.
    fn asks_pass(&self, incoming: &Incoming<'_>, judge: &mut dyn Judge) -> Result<bool, ListFault> {
        let document = self.document;
        match incoming {
            Incoming::Request { method, params, .. } => {
                let ask = asks::in_request(document, method, params.as_ref());
                Ok(ask.is_none_or(|ask| judge.permits(&ask)))
            }
            Incoming::Notification { params, .. } if self.exchange.era == Era::Modern => {
                let asks = asks::in_notification(document, params.as_ref());
                Ok(asks.iter().all(|ask| judge.permits(ask)))
            }
            Incoming::Notification { .. } => Ok(true),
            Incoming::Result { result, .. } => self.result_asks(result, judge),
            Incoming::Error { error, .. } => {
                let passes = pages_pass(document, error, judge);
                self.or_fault(passes)
            }
        }
    }

    fn result_asks(&self, result: &Range<usize>, judge: &mut dyn Judge) -> Result<bool, ListFault> {
        let (Era::Modern, Purpose::Call { method, .. }) =
            (self.exchange.era, &self.exchange.purpose)
        else {
            return Ok(true);
        };
        let asks = asks::in_result(self.document, result, *method)?;
        let passes = asks.iter().all(|ask| judge.permits(ask));
        self.or_fault(passes)
    }

    fn or_fault(&self, passes: bool) -> Result<bool, ListFault> {
        match self.exchange.purpose {
            Purpose::List { .. } | Purpose::About { .. } | Purpose::Call { .. } if !passes => {
                Err(ListFault::Asks)
            }
            Purpose::List { .. }
            | Purpose::About { .. }
            | Purpose::Call { .. }
            | Purpose::Session => Ok(passes),
        }
    }

    fn result(
        &self,
        id: &RequestId,
        result: &Range<usize>,
        judge: &mut dyn Judge,
    ) -> Result<Weighed, ListFault> {
        let listings = self.listings(result)?;
        let mut passed = Passed::of(
            Kind::Response,
            Some(summary_of_result(self.document, result)),
        );
        let mut rewrite = Rewrite::new(self.document, self.exchange, judge);
        match &self.exchange.purpose {
            Purpose::About { hidden, .. } => rewrite.about(id, result, hidden)?,
            Purpose::List { .. } | Purpose::Call { .. } | Purpose::Session
                if listings.is_empty() =>
            {
                return Ok(Weighed::Pass(passed));
            }
            Purpose::List { .. } | Purpose::Call { .. } | Purpose::Session => {
                rewrite.result(id, result, &listings)?;
            }
        }
        let (message, removed) = rewrite.end();
        passed.removed = removed;
        Ok(Weighed::Rewritten { message, passed })
    }

    /// The lists that the result is to be read as. Before 2026-07-28 a server finds the stream of an answer by the id
    /// of its request, which the client chose: under the id of a list, a list may come anywhere.
    fn listings(&self, result: &Range<usize>) -> Result<Vec<Listing>, ListFault> {
        match (&self.exchange.purpose, self.exchange.era) {
            (Purpose::List { listing, .. }, _) => Ok(vec![*listing]),
            (Purpose::Call { .. } | Purpose::Session, Era::Legacy) => {
                listings_in(self.document, result)
            }
            (Purpose::About { .. }, _) | (Purpose::Call { .. } | Purpose::Session, Era::Modern) => {
                Ok(Vec::new())
            }
        }
    }

    fn passed(&self, incoming: &Incoming<'_>) -> Passed {
        Passed::of(kind(incoming), summary(self.document, incoming))
    }
}

fn pages_pass(document: &Document<'_>, error: &Range<usize>, judge: &mut dyn Judge) -> bool {
    let asks = asks::in_error(document, error);
    asks.iter().all(|ask| judge.permits(ask))
}

const fn kind(incoming: &Incoming<'_>) -> Kind {
    match incoming {
        Incoming::Request { .. } => Kind::Request,
        Incoming::Notification { .. } => Kind::Notification,
        Incoming::Result { .. } | Incoming::Error { .. } => Kind::Response,
    }
}

fn summary(document: &Document<'_>, incoming: &Incoming<'_>) -> Option<Summary> {
    match incoming {
        Incoming::Request { .. } | Incoming::Notification { .. } => None,
        Incoming::Result { result, .. } => Some(summary_of_result(document, result)),
        Incoming::Error { error, .. } => {
            let code = document.member(error, "code");
            Some(Summary {
                error_code: code.and_then(|code| document.text(&code.value).parse().ok()),
                is_error: false,
            })
        }
    }
}

fn summary_of_result(document: &Document<'_>, result: &Range<usize>) -> Summary {
    let flag = document.member(result, "isError");
    Summary {
        error_code: None,
        is_error: flag.is_some_and(|flag| document.text(&flag.value) == "true"),
    }
}

#[cfg(test)]
mod tests;
