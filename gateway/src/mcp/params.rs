//! The members of `params` that decide, taken out of a scanned body. Never accepts a look-alike of them.

use std::ops::Range;

use super::asks::Capability;
use super::call::{RequestId, Target};
use super::document::Document;
use super::listing::{Listing, Listings};
use super::method::Aim;
use super::parse::Fault;
use super::spelling::{begins_like, resembles};
use super::trace::{self, Field};
use crate::model::agent_model::is_short;

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
    /// All of it.
    pub(super) whole: Place,
    /// `io.modelcontextprotocol/protocolVersion`.
    pub(super) protocol_version: Place,
    /// `io.modelcontextprotocol/clientCapabilities`.
    pub(super) client_capabilities: Place,
    client_info: Place,
    prompt: Place,
    traceparent: Place,
    progress_token: Place,
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
        self.subscribed(aim).map_or_else(
            || Ok(Vec::new()),
            |place| identifiers(document, place, "taskIds"),
        )
    }

    /// The lists whose changes the request wants to be told about.
    pub(super) fn lists(&self, document: &Document<'_>, aim: Aim) -> Listings {
        let Some(place) = self.subscribed(aim) else {
            return [].into_iter().collect();
        };
        let is_asked = |listing: &Listing| {
            let member = listing
                .subscription()
                .and_then(|key| document.member(place, key));
            member.is_some_and(|member| document.text(&member.value) == "true")
        };
        Listing::ALL.into_iter().filter(is_asked).collect()
    }

    fn subscribed(&self, aim: Aim) -> Option<&Range<usize>> {
        match aim {
            Aim::Subscriptions => self.notifications.as_ref(),
            Aim::Nothing | Aim::Tool | Aim::Prompt | Aim::Resource | Aim::Reference | Aim::Task => {
                None
            }
        }
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

    /// What the client says that led to the request.
    pub(super) fn prompt(&self, document: &Document<'_>) -> Option<Box<str>> {
        let prompt = document.string(self.meta.prompt.as_ref()?)?;
        is_short(&prompt).then(|| prompt.into())
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

    /// What progress of the request is reported under: an integer or a string.
    pub(super) fn progress_token(&self, document: &Document<'_>) -> Option<RequestId> {
        RequestId::from_token(document.text(self.meta.progress_token.as_ref()?))
    }

    /// What the client can do for the server.
    pub(super) fn capabilities(&self, document: &Document<'_>) -> Vec<Capability> {
        let declared = self.meta.client_capabilities.as_ref();
        declared.map_or_else(Vec::new, |declared| {
            Capability::all_in(document.text(declared))
        })
    }

    /// The trace id of a well-formed `traceparent` (W3C Trace Context section 3.2.2).
    pub(super) fn trace_id(&self, document: &Document<'_>) -> Option<Box<str>> {
        let traceparent = document.string(self.meta.traceparent.as_ref()?)?;
        trace::trace_id(&traceparent).map(Box::from)
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
                // Looked for where the configuration says that a model is named.
                "gatewright/model" => continue,
                "gatewright/prompt" => &mut found.prompt,
                key if begins_like(key, OWN_PREFIX) => {
                    return Err(Fault::params("a key of _meta is the gateway's own"));
                }
                "traceparent" => {
                    well_formed(document, (Field::Parent, &member.value))?;
                    &mut found.traceparent
                }
                "tracestate" => {
                    well_formed(document, (Field::State, &member.value))?;
                    continue;
                }
                "baggage" => {
                    well_formed(document, (Field::Baggage, &member.value))?;
                    continue;
                }
                "progressToken" => &mut found.progress_token,
                key if resembles(key, KNOWN_IN_META) => {
                    return Err(Fault::params("a key of _meta looks like another"));
                }
                _ => continue,
            };
            *slot = Some(member.value.clone());
        }
        found.whole = Some(meta);
        Ok(found)
    }
}

/// A body goes on as it is or not at all, so what a header of this name would lose is refused here.
fn well_formed(
    document: &Document<'_>,
    (field, value): (Field, &Range<usize>),
) -> Result<(), Fault> {
    document
        .string(value)
        .filter(|text| field.is_well_formed(text.as_bytes()))
        .map(|_| ())
        .ok_or(Fault::params(
            "a trace field of _meta is malformed or too long",
        ))
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
    let resources = identifiers(document, place, "resourceSubscriptions")?;
    Ok(Target::Resources(resources))
}

/// The names in an array of strings, or none.
fn identifiers(
    document: &Document<'_>,
    object: &Range<usize>,
    key: &str,
) -> Result<Vec<Box<str>>, Fault> {
    let Some(member) = document.member(object, key) else {
        return Ok(Vec::new());
    };
    let names: Vec<String> = serde_json::from_str(document.text(&member.value))
        .map_err(|_| Fault::params("a list of subscriptions is not an array of strings"))?;
    names.iter().map(|name| checked(name)).collect()
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
    "traceparent",
    "tracestate",
    "baggage",
];

/// What stands under this name in `_meta` would be taken for the gateway's own word.
const OWN_PREFIX: &str = "gatewright/";

/// As long as the names that a policy can match: a list must not show what no call can name.
const LONGEST_IDENTIFIER: usize = 4096;
/// More than a record shows, so that a record says when it shows less.
const LONGEST_CLIENT_NAME: usize = 1028;
