//! What conditions may look at, as the gateway proved it. Proves nothing itself, reads no clock.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};

/// Everything about one request that a condition may look at. Made only when a condition is asked.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Who asks.
    pub party: Party<'a>,
    /// The MCP method.
    pub method: &'a str,
    /// Where the connection comes from.
    pub source: Option<IpAddr>,
    /// When.
    pub moment: Moment,
    /// What the call carries.
    pub arguments: Arguments<'a>,
    /// What the server says of the tool, when its word is trusted; else the worst.
    pub annotations: Annotations,
}

/// A principal, as conditions see it.
#[derive(Debug, Clone)]
pub struct Party<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `sub`.
    pub subject: &'a str,
    /// `user`, `agent` or `service`.
    pub kind: &'static str,
    /// The OAuth client.
    pub client: Option<&'a str>,
    /// Who acts for it, the present actor first (RFC 8693 section 4.1).
    pub actors: Vec<&'a str>,
    /// The model, and whether an issuer says so (`claim`) or the agent alone (`meta`, `header`).
    pub model: Option<(&'a str, &'static str)>,
    /// The claims that some policy reads ([`crate::PolicySet::claims`]).
    pub claims: &'a Map<String, Value>,
    /// `authorization_details` that are meant for this server (RFC 9396 section 2).
    pub details: &'a [Value],
    /// `acr`.
    pub acr: Option<&'a str>,
    /// How long ago the user logged in.
    pub auth_age: Option<Duration>,
    /// How long ago the token was issued.
    pub token_age: Option<Duration>,
}

/// A moment in the time zone of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970, UTC.
    pub unix_millis: i64,
    /// The day of the week there, Monday first, from 1 to 7 (ISO 8601).
    pub weekday: u8,
    /// Minutes since midnight there.
    pub minute: u16,
}

/// The arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments<'a> {
    /// Not known yet: a list asks whether there is a call that would pass.
    Open,
    /// The bytes of `params.arguments`, a JSON object that was read strictly; `None` when there is none.
    Given(Option<&'a [u8]>),
}

/// What a tool does, in the words of MCP. The default is what MCP says of a tool that says nothing: the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent hints, named as MCP names them"
)]
pub struct Annotations {
    /// `readOnlyHint`.
    pub read_only: bool,
    /// `destructiveHint`.
    pub destructive: bool,
    /// `idempotentHint`.
    pub idempotent: bool,
    /// `openWorldHint`.
    pub open_world: bool,
}

impl Default for Annotations {
    fn default() -> Self {
        Self {
            read_only: false,
            destructive: true,
            idempotent: false,
            open_world: true,
        }
    }
}
