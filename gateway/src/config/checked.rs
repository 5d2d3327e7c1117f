//! The configuration as the program holds it: every value checked, every default filled in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gatewright_policies::PolicySet;
use ipnet::IpNet;
use jiff::tz::TimeZone;

use crate::audit::settings::LedgerSettings;
use crate::decision::Mode;
use crate::decision::freshness::Demands;
pub use crate::decision::pins::Pins;
use crate::identity::settings::{Audience, DpopSettings, Grant, IssuerSettings};
use crate::model::Digest;

use super::limits::Limits;

/// Everything that `gatewright run` needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where agents connect.
    pub listen: Listen,
    /// What agents type: scheme, host and port, without a path or a slash at the end.
    pub public_url: String,
    /// The issuers, in the order of the file.
    pub issuers: Vec<IssuerSettings>,
    /// The fronted servers, in the order of the file.
    pub servers: Vec<Server>,
    /// What each role may do.
    pub policy: PolicySet,
    /// Whether that is enforced.
    pub mode: Mode,
    /// Where its hours and days are counted.
    pub zone: TimeZone,
    /// What is asked besides, and changes no answer.
    pub shadow: Option<Candidate>,
    /// Roles that an issuer's word gives besides its roles claim.
    pub grants: Vec<Grant>,
    /// What DPoP proofs must be like.
    pub dpop: DpopSettings,
    /// The digest of the policy as it was written, for records.
    pub policy_digest: Digest,
    /// The digest of the whole file, for records.
    pub config_digest: Digest,
    /// The audit record.
    pub audit: LedgerSettings,
    /// What records keep of arguments.
    pub audit_arguments: ArgumentsRecord,
    /// Where `/livez`, `/readyz` and `/metrics` are served.
    pub ops: Option<SocketAddr>,
    /// The admin socket.
    pub admin: Option<PathBuf>,
    /// Where the pins of tools are kept; made when the first server has any.
    pub pins_directory: PathBuf,
    /// Upper bounds.
    pub limits: Limits,
    /// How long a stopping gateway waits for requests under way.
    pub drain: Duration,
    /// The HTTP status of a policy denial; absent means 403 for 2026-07-28 and 200 for older revisions.
    pub deny_http_status: Option<u16>,
    /// The checks that the file switched off, by the names of their keys, for a loud line at start.
    pub insecure: Vec<&'static str>,
}

/// A policy that is asked beside the one in force.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What each role may do.
    pub policy: PolicySet,
    /// The digest of the policy as it was written, for records.
    pub digest: Digest,
    /// Where its hours and days are counted.
    pub zone: TimeZone,
}

/// What a record keeps of a call's arguments. Never the arguments themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentsRecord {
    /// Nothing.
    None,
    /// Their SHA-256 digest and their length.
    Digest,
}

/// The listener that agents connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Certificate and key; absent means plain text.
    pub tls: Option<TlsFiles>,
    /// Browser origins that may call, compared byte for byte; loopback origins are always allowed on a loopback listener.
    pub allowed_origins: Vec<String>,
    /// The proxies whose `Client-Cert` header (RFC 9440) is believed.
    pub client_cert_from: Vec<IpNet>,
}

/// A certificate chain, its key and who signs the certificates of agents, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
    /// Whose certificates agents may show; absent means that they are not asked for one.
    pub client_ca_file: Option<PathBuf>,
}

/// One fronted MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The path agents use, e.g. `/crm/mcp`: starts with a slash, does not end with one.
    pub path: String,
    /// The protected resource: `public_url` + `path`, byte for byte.
    pub resource: String,
    /// Where its requests go.
    pub upstream: Upstream,
    /// What its tokens must prove, with its name.
    pub audience: Audience,
    /// How fresh tokens and logins must be.
    pub demands: Demands,
    /// Whether a call may end after its token has.
    pub outliving: Outliving,
    /// What its answers may hold besides what was asked for.
    pub answers: Answers,
    /// Whether its tools may change what they say of themselves.
    pub pins: Pins,
}

/// What the answers of a server may hold besides what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The requests that it may send to clients before 2026-07-28, by method.
    pub server_requests: Vec<ServerRequest>,
    /// The hosts that an elicitation may send a person to; `*.example.com` is every host below.
    pub elicitation_hosts: Vec<String>,
    /// What is taken out of what it says of itself.
    pub redact: Vec<Redacted>,
}

/// A request of a server to its client (before 2026-07-28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRequest {
    /// `sampling/createMessage`.
    Sampling,
    /// `elicitation/create`.
    Elicitation,
    /// `roots/list`.
    Roots,
}

/// A part of what a server says of itself in `initialize` and `server/discover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redacted {
    /// `instructions`.
    Instructions,
    /// `capabilities.experimental`.
    Experimental,
    /// `capabilities.extensions`.
    Extensions,
}

/// What happens to a call whose token ends while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outliving {
    /// It ends with its token.
    Cut,
    /// It may end. Streams never may.
    Allowed,
}

/// Where an upstream listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// `https`?
    pub tls: bool,
    /// The host, a name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path and query that requests are sent to.
    pub path: String,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait between two reads of an answer that is no event stream.
    pub read_timeout: Duration,
}
