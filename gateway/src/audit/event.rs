//! The record `gatewright.audit/1`, borrowed from those who hold its parts. Has no place for a token, a proof, a
//! session id or an argument value.

use serde::Serialize;

use super::anomaly::Anomaly;
use super::arguments::Arguments;
use super::id::EventId;
use super::part::{
    Actor, Approval, Authentication, Gateway, Mcp, Model, Outcome, Pin, Policy, Promotion, Prompt,
    Refused, Source, Subject, Tally,
};
use super::text::{Joined, Text, Texts, moment};
use crate::model::UnixTime;

/// One record; its members stand in the order in which they are written. An absent part is left out.
#[derive(Debug, Clone, Serialize)]
pub struct Event<'a> {
    /// When it happened, RFC 3339 in UTC with milliseconds.
    #[serde(serialize_with = "moment")]
    pub timestamp: UnixTime,
    /// Who is responsible: the token's `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<Text<'a>>,
    /// Who acts for them right now (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Text<'a>>,
    /// What was asked for: the method and its target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Joined<'a>>,
    /// What it was asked of: the server and the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Joined<'a>>,
    /// Whether it may happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The token's `jti`, or `sha256:` and the digest of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<Text<'a>>,
    /// The scopes this request needed and had.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub scopes_used: Texts<'a>,
    /// The name and version of this format.
    pub schema: Schema,
    /// The name of this record.
    pub event_id: EventId,
    /// The place of this record in the ledger, from 1. The writer gives it.
    // INVARIANT: `Line` finds the first unescaped `,"seq":` and needs every member before it to be no object.
    pub seq: u64,
    /// What the record is about.
    pub kind: Kind,
    /// Whose token it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject<'a>>,
    /// What acts for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor<'a>>,
    /// The language model behind the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model<'a>>,
    /// The prompt that led to the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt<'a>>,
    /// The MCP message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Mcp<'a>>,
    /// How the caller was authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authn: Option<Authentication<'a>>,
    /// Which policy decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy<'a>>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Refused<'a>>,
    /// Which human agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval<'a>>,
    /// Which policy came into force, or lost its force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion<'a>>,
    /// Which definition of a tool was pinned, and which was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin<'a>>,
    /// How many refusals have no record of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
    /// What is unusual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly<'a>>,
    /// What is kept of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a Arguments>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source<'a>>,
    /// The name of the request, as the caller was told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Text<'a>>,
    /// The decision whose outcome this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<EventId>,
    /// The trace the request belongs to (W3C Trace Context), as the caller claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Text<'a>>,
    /// The gateway that wrote the record.
    pub gateway: Gateway<'a>,
}

impl<'a> Event<'a> {
    /// A record with nothing in it yet but its kind, its time, its name and its writer.
    pub fn new(kind: Kind, timestamp: UnixTime, event_id: EventId, gateway: Gateway<'a>) -> Self {
        Self {
            timestamp,
            sub: None,
            act: None,
            action: None,
            resource: None,
            decision: None,
            token_id: None,
            scopes_used: Texts::default(),
            schema: Schema::V1,
            event_id,
            seq: 0,
            kind,
            subject: None,
            actor: None,
            model: None,
            prompt: None,
            mcp: None,
            authn: None,
            policy: None,
            reason: None,
            approval: None,
            promotion: None,
            pin: None,
            tally: None,
            anomaly: None,
            arguments: None,
            outcome: None,
            source: None,
            request_id: None,
            decision_id: None,
            trace_id: None,
            gateway,
        }
    }
}

/// The format of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Schema {
    /// The first.
    #[serde(rename = "gatewright.audit/1")]
    V1,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A request was allowed or refused.
    Decision,
    /// An allowed request ended.
    Outcome,
    /// A caller was not who it had to be.
    Authn,
    /// The configuration or the policy changed.
    Config,
    /// An allowed request can do some harm: somebody should know.
    Notice,
    /// A server did what it should not do, or not any more.
    Anomaly,
    /// The gateway started or stops; the ledger goes on elsewhere.
    Lifecycle,
    /// Somebody vouches for all records before it.
    Checkpoint,
}

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

#[cfg(test)]
mod tests;
