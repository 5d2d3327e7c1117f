//! The members of `params` that decide, taken out of a scanned body. Never accepts a look-alike of them.

use std::ops::Range;

use super::call::{RequestId, Target};
use super::document::Document;
use super::method::Aim;
use super::parse::Fault;
use super::spelling::resembles;

type Place = Option<Range<usize>>;

/// Where the members of `params` stand.
#[derive(Debug, Default)]
pub(super) struct Params {
    name: Place,
    uri: Place,
    task_id: Place,
    reference: Place,
    notifications: Place,
    arguments: Place,
    client_info: Place,
    request_id: Place,
    /// The members of `_meta`.
    pub(super) meta: Meta,
}

/// Where the members of `params._meta` stand.
#[derive(Debug, Default)]
pub(super) struct Meta {
    /// `io.modelcontextprotocol/protocolVersion`.
    pub(super) protocol_version: Place,
    /// `io.modelcontextprotocol/clientCapabilities`.
    pub(super) client_capabilities: Place,
    client_info: Place,
    model: Place,
    traceparent: Place,
}

impl Params {
    /// Reads `params`, which may be absent but not anything else than an object.
    pub(super) fn of(
        document: &Document<'_>,
        params: Option<&Range<usize>>,
    ) -> Result<Self, Fault> {
        let mut found = Self::default();
        let Some(params) = params else {
            return Ok(found);
        };
        if !document.is_object(params) {
            return Err(Fault::params("params is not an object"));
        }
        let mut meta = None;
        for member in document.members(params) {
            let slot = match member.key.as_ref() {
                "name" => &mut found.name,
                "uri" => &mut found.uri,
                "taskId" => &mut found.task_id,
                "ref" => &mut found.reference,
                "notifications" => &mut found.notifications,
                "arguments" => &mut found.arguments,
                "clientInfo" => &mut found.client_info,
                "requestId" => &mut found.request_id,
                "_meta" => &mut meta,
                key if resembles(key, KNOWN) => {
                    return Err(Fault::params("a key of params looks like another"));
                }
                _ => continue,
            };
            *slot = Some(member.value.clone());
        }
        found.meta = Meta::of(document, meta)?;
        Ok(found)
    }

    /// What the request wants to reach.
    pub(super) fn target(&self, document: &Document<'_>, aim: Aim) -> Result<Target, Fault> {
        let name = |place: &Place| identifier(document, place.as_ref());
        match aim {
            Aim::Nothing => Ok(Target::None),
            Aim::Tool => name(&self.name).map(Target::Tool),
            Aim::Prompt => name(&self.name).map(Target::Prompt),
            Aim::Resource => name(&self.uri).map(Target::Resource),
            Aim::Task => name(&self.task_id).map(Target::Task),
            Aim::Reference => reference(document, self.reference.as_ref()),
            Aim::Subscriptions => subscriptions(document, self.notifications.as_ref()),
        }
    }

    /// The tasks that the request wants to be told about.
    pub(super) fn tasks(&self, document: &Document<'_>, aim: Aim) -> Result<Vec<Box<str>>, Fault> {
        let notifications = match aim {
            Aim::Subscriptions => self.notifications.as_ref(),
            Aim::Nothing | Aim::Tool | Aim::Prompt | Aim::Resource | Aim::Reference | Aim::Task => {
                None
            }
        };
        let named = notifications.and_then(|place| document.member(place, "taskIds"));
        named.map_or_else(
            || Ok(Vec::new()),
            |member| identifiers(document.text(&member.value)),
        )
    }

    /// The request that is cancelled (MCP 2025-11-25, basic/utilities/cancellation).
    pub(super) fn cancelled(&self, document: &Document<'_>) -> Option<RequestId> {
        RequestId::from_token(document.text(self.request_id.as_ref()?))
    }

    /// The range of `arguments`: an object, or absent.
    pub(super) fn arguments(&self, document: &Document<'_>) -> Result<Place, Fault> {
        match &self.arguments {
            Some(range) if document.is_object(range) => Ok(Some(range.clone())),
            // The SDKs of two languages write an absent value as null.
            Some(range) if document.text(range) != "null" => {
                Err(Fault::params("arguments is not an object"))
            }
            _ => Ok(None),
        }
    }

    /// The model that the client names.
    pub(super) fn model(&self, document: &Document<'_>) -> Option<Box<str>> {
        let model = document.string(self.meta.model.as_ref()?)?;
        let is_usable = (1..=LONGEST_MODEL).contains(&model.len())
            && model.bytes().all(|byte| byte.is_ascii_graphic());
        is_usable.then(|| model.into())
    }

    /// The name the client gives itself, from `_meta` or from `initialize`.
    pub(super) fn client_name(&self, document: &Document<'_>) -> Option<Box<str>> {
        let info = self
            .meta
            .client_info
            .as_ref()
            .or(self.client_info.as_ref())?;
        let name = document.string(&document.member(info, "name")?.value)?;
        (0..=LONGEST_CLIENT_NAME)
            .rev()
            .find_map(|end| name.get(..end.min(name.len())))
            .map(Box::from)
    }

    /// The trace id of a well-formed `traceparent` (W3C Trace Context section 3.2.2).
    pub(super) fn trace_id(&self, document: &Document<'_>) -> Option<Box<str>> {
        let traceparent = document.string(self.meta.traceparent.as_ref()?)?;
        let mut parts = traceparent.split('-');
        let (version, trace, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_well_formed = is_hex(version, 2)
            && version != "ff"
            && is_hex(trace, 32)
            && is_hex(parent, 16)
            && is_hex(flags, 2)
            && [trace, parent]
                .into_iter()
                .all(|id| id.bytes().any(|byte| byte != b'0'))
            && (version != "00" || parts.next().is_none());
        is_well_formed.then(|| trace.into())
    }
}

impl Meta {
    fn of(document: &Document<'_>, meta: Place) -> Result<Self, Fault> {
        let mut found = Self::default();
        let Some(meta) = meta else {
            return Ok(found);
        };
        if !document.is_object(&meta) {
            return Err(Fault::params("_meta is not an object"));
        }
        for member in document.members(&meta) {
            let slot = match member.key.as_ref() {
                "io.modelcontextprotocol/protocolVersion" => &mut found.protocol_version,
                "io.modelcontextprotocol/clientCapabilities" => &mut found.client_capabilities,
                "io.modelcontextprotocol/clientInfo" => &mut found.client_info,
                "gatewright/model" => &mut found.model,
                "traceparent" => &mut found.traceparent,
                key if resembles(key, KNOWN_IN_META) => {
                    return Err(Fault::params("a key of _meta looks like another"));
                }
                _ => continue,
            };
            *slot = Some(member.value.clone());
        }
        Ok(found)
    }
}

fn identifier(document: &Document<'_>, place: Option<&Range<usize>>) -> Result<Box<str>, Fault> {
    let text = place
        .and_then(|place| document.string(place))
        .ok_or(Fault::params("the target is missing or not a string"))?;
    checked(&text)
}

fn checked(text: &str) -> Result<Box<str>, Fault> {
    if text.is_empty() || text.len() > LONGEST_IDENTIFIER || text.chars().any(char::is_control) {
        return Err(Fault::params(
            "the target is empty, too long or holds control characters",
        ));
    }
    Ok(text.into())
}

fn reference(document: &Document<'_>, place: Option<&Range<usize>>) -> Result<Target, Fault> {
    let place = place.ok_or(Fault::params("ref is missing"))?;
    if document
        .members(place)
        .any(|member| resembles(&member.key, &["type", "name", "uri"]))
    {
        return Err(Fault::params("a key of ref looks like another"));
    }
    let value = |key| document.member(place, key).map(|member| &member.value);
    match value("type")
        .and_then(|kind| document.string(kind))
        .as_deref()
    {
        Some("ref/prompt") => identifier(document, value("name")).map(Target::Prompt),
        Some("ref/resource") => identifier(document, value("uri")).map(Target::Resource),
        _ => Err(Fault::params("ref is neither a prompt nor a resource")),
    }
}

fn subscriptions(document: &Document<'_>, place: Option<&Range<usize>>) -> Result<Target, Fault> {
    let place = place
        .filter(|place| document.is_object(place))
        .ok_or(Fault::params("notifications is missing or not an object"))?;
    if document
        .members(place)
        .any(|member| resembles(&member.key, &["resourceSubscriptions", "taskIds"]))
    {
        return Err(Fault::params("a key of notifications looks like another"));
    }
    let Some(member) = document.member(place, "resourceSubscriptions") else {
        return Ok(Target::Resources(Vec::new()));
    };
    identifiers(document.text(&member.value)).map(Target::Resources)
}

/// What a request subscribes to, by URI or by id.
fn identifiers(text: &str) -> Result<Vec<Box<str>>, Fault> {
    let named: Vec<String> = serde_json::from_str(text)
        .map_err(|_| Fault::params("a subscription is no array of strings"))?;
    named.iter().map(|name| checked(name)).collect()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The keys of `params` by which servers decide what to do.
const KNOWN: &[&str] = &[
    "name",
    "uri",
    "arguments",
    "_meta",
    "taskId",
    "ref",
    "task",
    "cursor",
    "notifications",
    "inputResponses",
    "requestState",
    "requestId",
];

const KNOWN_IN_META: &[&str] = &[
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
];

/// As long as the names that a policy can match: a list must not show what no call can name.
const LONGEST_IDENTIFIER: usize = 4096;
const LONGEST_MODEL: usize = 128;
const LONGEST_CLIENT_NAME: usize = 64;
