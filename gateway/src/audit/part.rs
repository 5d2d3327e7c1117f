//! The parts of a record. None has a place for a token, a proof, a session id or an argument value.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use super::event::Decision;
use super::text::{RequestId, Text, Texts, hexadecimal, moment};
use crate::model::{Digest, Reason, UnixTime};

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

impl ModelSource {
    /// The name in records and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Meta => "meta",
            Self::Header => "header",
        }
    }
}

/// The prompt that led to a request.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Prompt<'a> {
    /// What names it where prompts are kept. Never the prompt.
    pub reference: Text<'a>,
    /// Whether it is the client's word alone.
    pub asserted: bool,
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
    /// The digest of the certificate the token is bound to (RFC 8705 section 3.1); where nothing was proven, of the one
    /// that was shown.
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
    /// How much harm the call can do: `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<'a>>,
    /// What would have been decided besides, without any effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow<'a>>,
}

/// A decision without effect: that of the policy in shadow mode, or of the one beside the policy in force.
#[derive(Debug, Clone, Serialize)]
pub struct Shadow<'a> {
    /// Whether it would be allowed.
    pub decision: Decision,
    /// The rules that would have decided.
    pub ids: Texts<'a>,
}

/// A policy that came into force, or lost its force.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Promotion<'a> {
    /// The digest of the policy before.
    #[serde(serialize_with = "hexadecimal")]
    pub from: Digest,
    /// The digest of the policy after.
    #[serde(serialize_with = "hexadecimal")]
    pub to: Digest,
    /// How many decisions differed while it had no effect.
    pub disagreements: u64,
    /// Who asked for it: `uid:` and the user id at the other end of the admin socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Text<'a>>,
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
    #[serde(serialize_with = "moment")]
    pub at: UnixTime,
    /// When it ends.
    #[serde(serialize_with = "moment")]
    pub expires: UnixTime,
}

/// A tool that is not what it was. Hashes alone: what a server says of its tools is text of its own choice.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Pin<'a> {
    /// The hash of the definition that was pinned.
    #[serde(serialize_with = "hexadecimal")]
    pub pinned: Digest,
    /// The hash of the one that was found, or is pinned from now on.
    #[serde(serialize_with = "hexadecimal")]
    pub found: Digest,
    /// Who approved it: `uid:` and the user id at the other end of the admin socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Text<'a>>,
}

/// Refusals that have no record of their own. Numbers alone: nothing of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Since when they were counted; until the time of the record.
    #[serde(serialize_with = "moment")]
    pub since: UnixTime,
    /// How many were answered 429 after the first of their source, which has a record.
    pub rate_limited: u64,
    /// How many records about strangers found no room in the queue, or could not be written.
    pub lost: u64,
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

/// An address.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Address<'a> {
    /// As it is.
    Plain(IpAddr),
    /// For who may open it.
    Sealed(&'a str),
}

/// Where a request came from: the peer of the connection, never a header.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Source<'a> {
    /// The address.
    pub ip: Address<'a>,
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
fn named<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.name())
}
