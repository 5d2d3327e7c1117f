//! The settings of `gatewright dev`: what a configuration file for the embedded parts would say.
//! Pure: binds nothing, reads nothing. Never plans a listener that others can reach.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gatewright_policies::{Access, PolicySet, PolicySource, Row};
use jiff::tz::TimeZone;
use url::{Host, Url};

use super::role::{READ_SCOPE, WRITE_SCOPE};
use super::{DevError, DevRole};
use crate::audit::settings::LedgerSettings;
use crate::config::{
    Answers, ArgumentsRecord, Limits, Listen, Outliving, Pins, Server, Settings, Upstream,
};
use crate::decision::Mode;
use crate::decision::freshness::Demands;
use crate::identity::settings::{Audience, DpopSettings, IssuerSettings, KeySource};
use crate::model::{Digest, IssuerUrl};

#[cfg(test)]
mod tests;

/// What is known before the gateway of `gatewright dev` starts.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The embedded issuer.
    pub issuer: &'a IssuerUrl,
    /// The server behind the gateway.
    pub fronted: Fronted<'a>,
    /// Where agents connect: a loopback address with its port.
    pub listen: SocketAddr,
    /// Where the record goes.
    pub ledger: PathBuf,
}

/// Which server `gatewright dev` stands in front of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fronted<'a> {
    /// The embedded notebook at this URL.
    Notes(&'a str),
    /// Somebody's real server at this URL (`--upstream`).
    Other(&'a str),
}

impl Fronted<'_> {
    const fn url(&self) -> &str {
        match self {
            Self::Notes(url) | Self::Other(url) => url,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Notes(_) => "notes",
            Self::Other(_) => "upstream",
        }
    }

    /// Of a server nobody knows, only the names tell what reads: the rest is the editor's.
    fn rows(&self) -> Vec<Row> {
        match self {
            Self::Notes(_) => notes_rows(),
            Self::Other(_) => other_rows(),
        }
    }
}

impl Plan<'_> {
    /// The settings. No ops listener and no admin socket: the caller adds those it wants.
    pub fn settings(&self) -> Result<Settings, DevError> {
        if !self.listen.ip().is_loopback() {
            return Err(DevError::NotLoopback {
                address: self.listen,
            });
        }
        if self.listen.port() == 0 {
            return Err(DevError::PortMissing {
                address: self.listen,
            });
        }
        let public_url = format!("http://{}", self.listen);
        let rows = self.fronted.rows();
        let policy_text = format!("{rows:?}");
        let source = PolicySource {
            rows,
            ..PolicySource::default()
        };
        let policy = PolicySet::build(source).map_err(|faults| DevError::Rows { faults })?;
        Ok(Settings {
            listen: Listen {
                address: self.listen,
                tls: None,
                allowed_origins: Vec::new(),
                client_cert_from: Vec::new(),
            },
            issuers: vec![issuer(self.issuer)],
            servers: vec![self.server(&public_url)?],
            policy,
            mode: Mode::Enforce,
            zone: TimeZone::UTC,
            shadow: None,
            grants: Vec::new(),
            dpop: DpopSettings::default(),
            policy_digest: Digest::of(policy_text.as_bytes()),
            config_digest: Digest::of(format!("{self:?}{policy_text}").as_bytes()),
            audit: LedgerSettings {
                directory: self.ledger.clone(),
                queue_bytes: 16 << 20,
                wait: Duration::from_secs(2),
            },
            audit_arguments: ArgumentsRecord::Digest,
            insecure: Vec::new(),
            ops: None,
            admin: None,
            pins_directory: self.ledger.join("pins"),
            limits: Limits::default(),
            drain: Duration::from_secs(2),
            deny_http_status: None,
            public_url,
        })
    }

    fn server(&self, public_url: &str) -> Result<Server, DevError> {
        let name = self.fronted.name();
        let path = format!("/{name}/mcp");
        let resource = format!("{public_url}{path}");
        Ok(Server {
            audience: Audience {
                scopes: vec![READ_SCOPE.to_owned()],
                ..Audience::new(name, &resource, vec![self.issuer.clone()])
            },
            demands: Demands::default(),
            outliving: Outliving::Cut,
            answers: Answers::default(),
            pins: Pins::Off,
            upstream: upstream(self.fronted.url())?,
            path,
            resource,
        })
    }
}

fn issuer(url: &IssuerUrl) -> IssuerSettings {
    IssuerSettings {
        max_token_lifetime: MAX_TOKEN_LIFETIME,
        ..IssuerSettings::new("dev", url.as_str(), KeySource::Discovery)
    }
}

fn upstream(text: &str) -> Result<Upstream, DevError> {
    let fault = || DevError::Upstream {
        url: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| fault())?;
    let tls = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(fault()),
    };
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let host = url.host().filter(|_| is_plain).ok_or_else(fault)?;
    Ok(Upstream {
        tls,
        // Without the brackets that an address of IPv6 has in a URL.
        host: match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        },
        port: url.port_or_known_default().ok_or_else(fault)?,
        path: url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        ),
        ca_file: None,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
    })
}

fn notes_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for role in DevRole::ALL {
        let grant = |access, pattern| row(role, "notes", access, pattern);
        rows.push(grant(Access::Tool, "search_*"));
        rows.push(grant(Access::Tool, "get_*"));
        rows.push(grant(Access::Prompt, "summarise_note"));
        rows.push(grant(Access::Resource, "note://*"));
    }
    rows.push(writing(row(
        DevRole::Editor,
        "notes",
        Access::Tool,
        "add_note",
    )));
    rows
}

fn other_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for role in DevRole::ALL {
        let reading = ["get_*", "list_*", "read_*", "search_*"];
        rows.extend(reading.map(|pattern| row(role, "upstream", Access::Tool, pattern)));
    }
    let editor = |access, pattern| row(DevRole::Editor, "upstream", access, pattern);
    rows.push(writing(editor(Access::Tool, "*")));
    rows.push(editor(Access::Prompt, "*"));
    rows.push(editor(Access::Resource, "**"));
    rows
}

fn row(role: DevRole, server: &str, access: Access, pattern: &str) -> Row {
    Row::plain(role.name(), server, access, pattern)
}

fn writing(row: Row) -> Row {
    Row {
        scopes: vec![WRITE_SCOPE.to_owned()],
        ..row
    }
}

/// A printed token lasts a working day.
const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
