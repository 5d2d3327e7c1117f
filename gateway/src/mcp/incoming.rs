//! Tells apart what a server sends. Never takes a message that could be two things.

use std::ops::Range;

use super::call::RequestId;
use super::document::Document;
use super::envelope::Envelope;
use super::listing::{Kind, ListFault};
use super::version::Era;

/// A server's message, told apart.
pub(super) struct Incoming {
    /// What it is.
    pub(super) kind: Kind,
    /// Of a response.
    pub(super) id: Option<RequestId>,
    /// Of a response that is no error.
    pub(super) result: Option<Range<usize>>,
}

impl Incoming {
    /// Tells a message apart. Refused is whatever is not exactly one of the kinds, or unknown to the era.
    pub(super) fn of(document: &Document<'_>, era: Era) -> Result<Self, ListFault> {
        let Envelope {
            id,
            method,
            params,
            result,
            error,
        } = Envelope::of(document).map_err(|_| ListFault::NotAMessage)?;
        let id = match id {
            Some(id) => {
                Some(RequestId::from_token(document.text(&id)).ok_or(ListFault::NotAMessage)?)
            }
            None => None,
        };
        match (method, result, error) {
            (Some(method), None, None) if document.string(&method).is_some() => {
                let kind = if id.is_some() {
                    Kind::Request
                } else {
                    Kind::Notification
                };
                if kind == Kind::Request && era == Era::Modern {
                    return Err(ListFault::ServerRequest);
                }
                Ok(Self {
                    kind,
                    id: None,
                    result: None,
                })
            }
            (None, Some(body), None) | (None, None, Some(body))
                if params.is_some() || !document.is_object(&body) =>
            {
                Err(ListFault::NotAMessage)
            }
            (None, Some(result), None) if id.is_some() => Ok(Self {
                kind: Kind::Response,
                id,
                result: Some(result),
            }),
            (None, None, Some(_)) if id.is_some() => Ok(Self {
                kind: Kind::Response,
                id,
                result: None,
            }),
            _ => Err(ListFault::NotAMessage),
        }
    }
}
