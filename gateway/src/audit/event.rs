//! The record `gatewright.audit/1`, borrowed from those who hold its parts. Has no place for a token, a proof, a
//! session id or an argument value.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::id::EventId;
use super::text::{Joined, RequestId, Text, Texts, hexadecimal};
use crate::model::{Digest, Reason, UnixTime};

/// One record; its members stand in the order in which they are written. An absent part is left out.
#[derive(Debug, Clone, Serialize)]
pub struct Event<'a> {
    /// When it happened, RFC 3339 in UTC with milliseconds.
    #[serde(serialize_with = "shown")]
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
    /// The place of this record in its file, from 1. The ledger gives it.
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
    /// What is kept of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Arguments>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
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
            mcp: None,
            authn: None,
            policy: None,
            reason: None,
            approval: None,
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
    /// The gateway started or stops.
    Lifecycle,
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

/// Whose token it was.
#[derive(Debug, Clone, Serialize)]
pub struct Subject<'a> {
    /// The issuer that vouches for them.
    pub iss: Text<'a>,
    /// The token's `sub`.
    pub id: Text<'a>,
    /// What they are.
    #[serde(rename = "type")]
    pub kind: SubjectKind,
    /// Their roles.
    pub roles: Texts<'a>,
}

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A human.
    User,
    /// An agent on its own account.
    Agent,
    /// A program that is no agent.
    Service,
}

/// What acts for the subject.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Actor<'a> {
    /// The OAuth client of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Text<'a>>,
    /// Who acts for whom, the outermost first (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Link<'a>>,
    /// The name the client gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<Text<'a>>,
    /// Whether `client_name` is the client's word alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_asserted: Option<bool>,
}

/// One actor of a chain.
#[derive(Debug, Clone, Serialize)]
pub struct Link<'a> {
    /// Its `sub`.
    pub sub: Text<'a>,
    /// Its `iss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<Text<'a>>,
}

/// The language model behind the agent.
#[derive(Debug, Clone, Serialize)]
pub struct Model<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Text<'a>>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text<'a>>,
    /// Who says so.
    pub source: ModelSource,
}

/// Who names the model. Only the claim has an issuer's word behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSource {
    /// A claim of the token.
    Claim,
    /// The `_meta` of the message.
    Meta,
    /// A header of the request.
    Header,
}

/// The MCP message.
#[derive(Debug, Clone, Serialize)]
pub struct Mcp<'a> {
    /// The method, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Text<'a>>,
    /// The tool, prompt or resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// The revision of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<Text<'a>>,
    /// The fronted server.
    pub server: Text<'a>,
    /// The id of the JSON-RPC request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsonrpc_id: Option<RequestId<'a>>,
}

/// How the caller was authenticated.
#[derive(Debug, Clone, Serialize)]
pub struct Authentication<'a> {
    /// The scheme of the credential, in lower case; `none` when there was none.
    pub scheme: Text<'a>,
    /// `ok`, or what was wrong: one of a closed list.
    pub result: Text<'a>,
    /// The thumbprint of the key the token is bound to (RFC 9449 section 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<Text<'a>>,
    /// The digest of the certificate the token is bound to (RFC 8705 section 3.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_sha256: Option<Text<'a>>,
    /// When the token ends, in seconds since 1970 (RFC 7519 NumericDate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_exp: Option<u64>,
    /// The scopes that the token grants.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub scopes: Texts<'a>,
}

/// Which policy decided.
#[derive(Debug, Clone, Serialize)]
pub struct Policy<'a> {
    /// The rules that made the decision; none when nothing allowed it.
    pub ids: Texts<'a>,
    /// The digest of the whole policy.
    #[serde(serialize_with = "hexadecimal")]
    pub digest: Digest,
    /// What a denial leads to.
    pub mode: PolicyMode,
}

/// What a denial leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMode {
    /// A refusal.
    Enforce,
    /// A record alone.
    Shadow,
}

/// Why a request was refused.
#[derive(Debug, Clone, Serialize)]
pub struct Refused<'a> {
    /// The reason.
    #[serde(serialize_with = "named")]
    pub code: Reason,
    /// The same for a reader; may say more than the client was told.
    pub message: Text<'a>,
    /// The scopes that would have helped.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub missing_scopes: Texts<'a>,
}

/// Which human agreed.
#[derive(Debug, Clone, Serialize)]
pub struct Approval<'a> {
    /// The name of the approval.
    pub id: Text<'a>,
    /// Who gave it.
    pub by: Text<'a>,
    /// When it was given.
    #[serde(serialize_with = "shown")]
    pub at: UnixTime,
    /// When it ends.
    #[serde(serialize_with = "shown")]
    pub expires: UnixTime,
}

/// What is kept of the arguments of a call.
#[derive(Debug, Clone, Serialize)]
pub struct Arguments {
    /// Their digest.
    #[serde(serialize_with = "hexadecimal")]
    pub digest: Digest,
    /// Their length in bytes.
    pub bytes: usize,
}

/// How a request ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// The status the client got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The code of the JSON-RPC error the client got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsonrpc_error: Option<i64>,
    /// Whether the tool said that it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// From the first byte of the request to the last of the answer, in milliseconds.
    pub duration_ms: f64,
    /// The part of it spent waiting for the upstream, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ms: Option<f64>,
}

/// Where a request came from: the peer of the connection, never a header.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Source {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

/// The gateway that wrote a record.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Gateway<'a> {
    /// Which one.
    pub instance: Text<'a>,
    /// Its version.
    pub version: Text<'a>,
    /// The digest of its configuration.
    #[serde(serialize_with = "hexadecimal")]
    pub config: Digest,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn shown<S: Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn named<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.name())
}

#[cfg(test)]
mod tests;
