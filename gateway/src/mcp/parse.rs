//! Reads one body into one message and compares it with its headers. Never decides, never repairs.

use std::ops::Range;

use super::bounds::Bounds;
use super::call::{Call, Message, Mirrored, Read, Refused, RequestId, Target};
use super::document::Document;
use super::envelope::Envelope;
use super::jsonrpc::{JsonFault, scan};
use super::method::{Aim, Method, NameHeader};
use super::mirror;
use super::params::{Meta, Params};
use super::version::{Era, Revision};
use crate::model::Reason;

/// Reads the body of a request.
///
/// Refused is whatever two parsers could take for two different messages: loose JSON, batches,
/// unknown or look-alike members, and headers that say something else than the body. Refused too is
/// what goes beyond the bounds.
pub fn read(body: &[u8], head: Mirrored<'_>, bounds: Bounds) -> Result<Read, Refused> {
    let document = scan(body, bounds.of_text()).map_err(unreadable)?;
    let reader = Reader {
        document: &document,
        head,
        bounds,
    };
    reader.message().map_err(|fault| Refused {
        reason: fault.reason,
        id: reader.id(),
        requested: fault.requested,
        detail: fault.detail,
    })
}

/// A refusal before it is known whose request it was.
#[derive(Debug)]
pub(super) struct Fault {
    reason: Reason,
    detail: &'static str,
    requested: Option<Box<str>>,
}

impl Fault {
    pub(super) const fn params(detail: &'static str) -> Self {
        Self::new(Reason::ParamsInvalid, detail)
    }

    const fn request(detail: &'static str) -> Self {
        Self::new(Reason::RequestInvalid, detail)
    }

    const fn header(detail: &'static str) -> Self {
        Self::new(Reason::HeaderMismatch, detail)
    }

    const fn new(reason: Reason, detail: &'static str) -> Self {
        Self {
            reason,
            detail,
            requested: None,
        }
    }

    fn version(requested: &[u8]) -> Self {
        let is_printable = requested.len() <= 64 && requested.iter().all(u8::is_ascii_graphic);
        let text = str::from_utf8(requested).ok().filter(|_| is_printable);
        Self {
            requested: text.map(Box::from),
            ..Self::new(Reason::VersionUnsupported, "unsupported protocol version")
        }
    }
}

fn unreadable(fault: JsonFault) -> Refused {
    Refused {
        reason: fault.reason(),
        id: None,
        requested: None,
        detail: fault.detail(),
    }
}

struct Reader<'a> {
    document: &'a Document<'a>,
    head: Mirrored<'a>,
    bounds: Bounds,
}

impl Reader<'_> {
    /// The id to answer to, if there is one: keys are unique by now.
    fn id(&self) -> Option<RequestId> {
        let member = self.document.member(&self.document.root(), "id")?;
        RequestId::from_token(self.document.text(&member.value))
    }

    fn message(&self) -> Result<Read, Fault> {
        if self.document.is_array() {
            return Err(Fault::new(Reason::BatchRefused, "the body is a batch"));
        }
        let envelope =
            Envelope::of(self.document).map_err(|fault| Fault::request(fault.detail()))?;
        let Some(method) = &envelope.method else {
            return self.response(&envelope);
        };
        if envelope.result.is_some() || envelope.error.is_some() {
            return Err(Fault::request(
                "a message has a method and a result or error",
            ));
        }
        let name = self.method_name(method)?;
        let method = Method::from_name(&name);
        let params = Params::of(self.document, envelope.params.as_ref())?;
        let Some(id) = &envelope.id else {
            return self.notification((method, name), &params);
        };
        if Method::is_notification(&name) {
            return Err(Fault::request("a notification has an id"));
        }
        self.request(self.checked_id(id)?, (method, name), &params)
    }

    fn request(
        &self,
        id: RequestId,
        (method, method_name): (Method, Box<str>),
        params: &Params,
    ) -> Result<Read, Fault> {
        let document = self.document;
        let (era, revision) = self.era_of_request(method, &params.meta)?;
        if era == Era::Modern {
            self.check_method_header(&method_name)?;
        }
        // What 2026-07-28 does not have is no method of it, whatever its params are.
        let method = if era == Era::Modern && !method.is_in(revision) {
            Method::Unknown
        } else {
            method
        };
        let row = method.row();
        let target = params.target(document, row.aim)?;
        let tasks = params.tasks(document, row.aim)?;
        if target.resources().len() + tasks.len() > self.bounds.of_subscriptions() {
            return Err(Fault::params("too many subscriptions"));
        }
        if era == Era::Modern && row.name_header == NameHeader::Required {
            self.check_name_header(&target)?;
        }
        let arguments = match row.aim {
            Aim::Tool | Aim::Prompt => params.arguments(document)?,
            Aim::Nothing | Aim::Resource | Aim::Reference | Aim::Subscriptions | Aim::Task => None,
        };
        let call = Call {
            id,
            method,
            method_name,
            target,
            tasks,
            lists: params.lists(document, row.aim),
            arguments,
            meta: params.meta.whole.clone(),
            prompt: params.prompt(document),
            client_name: params.client_name(document),
            trace_id: params.trace_id(document),
            progress_token: params.progress_token(document),
            capabilities: params.capabilities(document),
        };
        Ok(Read {
            message: Message::Request(call),
            era,
            revision,
        })
    }

    fn notification(
        &self,
        (method, method_name): (Method, Box<str>),
        params: &Params,
    ) -> Result<Read, Fault> {
        if method != Method::Unknown && !Method::is_notification(&method_name) {
            return Err(Fault::request("a request has no id"));
        }
        let (era, revision) = self.era_of_notification(&params.meta)?;
        // No revision says which headers a notification carries; one that is there must not lie.
        if era == Era::Modern && self.head.method.is_some() {
            self.check_method_header(&method_name)?;
        }
        Ok(Read {
            message: Message::Notification {
                method,
                method_name,
                cancels: params.cancelled(self.document),
            },
            era,
            revision,
        })
    }

    fn response(&self, envelope: &Envelope) -> Result<Read, Fault> {
        let is_one_of_two = match (&envelope.result, &envelope.error) {
            (Some(_), None) => true,
            (None, Some(error)) => self.document.is_object(error),
            (None, None) | (Some(_), Some(_)) => false,
        };
        if !is_one_of_two || envelope.params.is_some() {
            return Err(Fault::request("neither a request nor a response"));
        }
        let id = envelope
            .id
            .as_ref()
            .ok_or(Fault::request("a response has no id"))?;
        let id = self.checked_id(id)?;
        let revision = self.revision_in_header()?.unwrap_or(UNNAMED);
        if revision.is_modern() {
            return Err(Fault::request(
                "a client of this revision sends no responses",
            ));
        }
        Ok(Read {
            message: Message::Response { id },
            era: Era::Legacy,
            revision,
        })
    }

    fn checked_id(&self, id: &Range<usize>) -> Result<RequestId, Fault> {
        RequestId::from_token(self.document.text(id))
            .ok_or(Fault::request("the id is no integer and no short string"))
    }

    fn method_name(&self, method: &Range<usize>) -> Result<Box<str>, Fault> {
        self.document
            .string(method)
            .filter(|name| name.len() <= LONGEST_METHOD && !name.chars().any(char::is_control))
            .map(Box::from)
            .ok_or(Fault::request(
                "the method is no short string without control characters",
            ))
    }

    fn era_of_request(&self, method: Method, meta: &Meta) -> Result<(Era, Revision), Fault> {
        let is_modern = self.has_modern_header() || meta.protocol_version.is_some();
        if !is_modern {
            return self.legacy();
        }
        // With a version in its `_meta` it is a request of this revision, which has no such method.
        if method == Method::Initialize && meta.protocol_version.is_none() {
            return Err(Fault::header(
                "initialize belongs to an older revision than its version says",
            ));
        }
        let header = self
            .version_header()
            .ok_or(Fault::header("MCP-Protocol-Version is missing"))?;
        let version = meta
            .protocol_version
            .as_ref()
            .and_then(|version| self.document.string(version));
        let version = version.ok_or(Fault::params("_meta has no protocolVersion"))?;
        let capabilities = meta.client_capabilities.as_ref();
        if !capabilities.is_some_and(|capabilities| self.document.is_object(capabilities)) {
            return Err(Fault::params("_meta has no clientCapabilities"));
        }
        modern(header, &version)
    }

    fn era_of_notification(&self, meta: &Meta) -> Result<(Era, Revision), Fault> {
        let version = match &meta.protocol_version {
            None if self.has_modern_header() => return Ok((Era::Modern, Revision::V2026_07_28)),
            None => return self.legacy(),
            Some(version) => self.document.string(version),
        };
        let header = self
            .version_header()
            .ok_or(Fault::header("MCP-Protocol-Version is missing"))?;
        modern(
            header,
            &version.ok_or(Fault::params("_meta.protocolVersion is no string"))?,
        )
    }

    fn legacy(&self) -> Result<(Era, Revision), Fault> {
        Ok((Era::Legacy, self.revision_in_header()?.unwrap_or(UNNAMED)))
    }

    fn revision_in_header(&self) -> Result<Option<Revision>, Fault> {
        self.version_header()
            .map(|header| Revision::from_name(header).ok_or_else(|| Fault::version(header)))
            .transpose()
    }

    fn has_modern_header(&self) -> bool {
        self.version_header()
            .and_then(Revision::from_name)
            .is_some_and(Revision::is_modern)
    }

    fn version_header(&self) -> Option<&[u8]> {
        self.head.protocol_version.map(mirror::trimmed)
    }

    fn check_method_header(&self, method_name: &str) -> Result<(), Fault> {
        match self.head.method.map(mirror::trimmed) {
            None => Err(Fault::header("Mcp-Method is missing")),
            Some(header) if header != method_name.as_bytes() => {
                Err(Fault::header("Mcp-Method is not the method"))
            }
            Some(_) => Ok(()),
        }
    }

    fn check_name_header(&self, target: &Target) -> Result<(), Fault> {
        let header = self.head.name.ok_or(Fault::header("Mcp-Name is missing"))?;
        let is_same = match target {
            Target::Tool(name)
            | Target::Prompt(name)
            | Target::Resource(name)
            | Target::Task(name) => mirror::says(header, name),
            Target::None | Target::Resources(_) => false,
        };
        if is_same {
            Ok(())
        } else {
            Err(Fault::header("Mcp-Name is not the target"))
        }
    }
}

fn modern(header: &[u8], version: &str) -> Result<(Era, Revision), Fault> {
    if header != version.as_bytes() {
        return Err(Fault::header(
            "MCP-Protocol-Version is not the version in _meta",
        ));
    }
    Revision::from_name(header)
        .filter(|revision| revision.is_modern())
        .map(|revision| (Era::Modern, revision))
        .ok_or_else(|| Fault::version(header))
}

/// What a legacy request that names no version is taken for (2025-11-25, transports).
const UNNAMED: Revision = Revision::V2025_03_26;

const LONGEST_METHOD: usize = 128;

#[cfg(test)]
mod tests;
