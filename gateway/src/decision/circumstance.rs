//! Under what circumstances something was decided: everything a record says besides the decision.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::decision::mode::Mode;
use crate::identity::Principal;
use crate::mcp::{Call, Method, Revision};
use crate::model::{Digest, ServerName, UnixTime};

/// What a request wants to do.
#[derive(Debug)]
pub enum Action<'a> {
    /// A JSON-RPC request.
    Call(&'a Call),
    /// A JSON-RPC request about a task that is the asker's own.
    OwnTask {
        /// The request.
        call: &'a Call,
        /// The tool that made the task.
        tool: &'a str,
    },
    /// A JSON-RPC notification.
    Notify {
        /// Its method.
        method: Method,
        /// The method as it was sent.
        name: &'a str,
    },
    /// A JSON-RPC response to a request of the server (before 2026-07-28).
    Reply,
    /// The event stream of a session (before 2026-07-28).
    OpenStream,
    /// The end of a session (before 2026-07-28).
    EndSession,
}

impl<'a> Action<'a> {
    /// The word for it in records: the method, or the HTTP verb for what is no message.
    pub fn name(&self) -> &str {
        match self {
            Self::Call(call) | Self::OwnTask { call, .. } => &call.method_name,
            Self::Notify { name, .. } => name,
            Self::Reply => "response",
            Self::OpenStream => "GET",
            Self::EndSession => "DELETE",
        }
    }

    /// The request, if it is one.
    pub(in crate::decision) const fn call(&self) -> Option<&'a Call> {
        match self {
            Self::Call(call) | Self::OwnTask { call, .. } => Some(call),
            Self::Notify { .. } | Self::Reply | Self::OpenStream | Self::EndSession => None,
        }
    }
}

/// The request as the network brought it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The id that the client is told too.
    pub id: Box<str>,
    /// Who is at the other end of the connection.
    pub source: Option<SocketAddr>,
    /// When it arrived.
    pub at: UnixTime,
    /// The server its path names.
    pub server: Option<ServerName>,
}

/// Everything a decision record says besides the decision itself.
#[derive(Debug, Clone, Copy)]
pub struct Circumstance<'a> {
    /// The request.
    pub request: &'a Request,
    /// Who asks; absent for strangers.
    pub principal: Option<&'a Arc<Principal>>,
    /// What is asked; absent when it could not be read.
    pub action: Option<&'a Action<'a>>,
    /// The protocol revision of the message.
    pub revision: Option<Revision>,
    /// Digest and length of the arguments, when records say so.
    pub arguments: Option<(Digest, usize)>,
    /// The scopes that were needed to get this far.
    pub needed: &'a [String],
    /// What was in force.
    pub in_force: &'a InForce,
}

/// What was in force when something was decided, and who decided it.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The name of this gateway process.
    pub instance: Box<str>,
    /// The digest of the policy.
    pub policy: Digest,
    /// What a denial of it leads to.
    pub mode: Mode,
    /// The digest of the configuration.
    pub configuration: Digest,
}
