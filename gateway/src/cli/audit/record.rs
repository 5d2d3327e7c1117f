//! What the command line needs of a record. Reads what it knows and passes over the rest.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Deserialize;

/// A record, as far as it is looked at here.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Record<'a> {
    #[serde(borrow)]
    pub(in crate::cli) timestamp: Cow<'a, str>,
    #[serde(borrow)]
    pub(in crate::cli) kind: Cow<'a, str>,
    pub(in crate::cli) sub: Option<String>,
    pub(in crate::cli) act: Option<String>,
    pub(in crate::cli) action: Option<String>,
    pub(in crate::cli) decision: Option<String>,
    pub(in crate::cli) token_id: Option<String>,
    #[serde(default)]
    pub(in crate::cli) scopes_used: Vec<String>,
    pub(in crate::cli) subject: Option<Subject>,
    pub(in crate::cli) actor: Option<Actor>,
    pub(in crate::cli) model: Option<Model>,
    pub(in crate::cli) mcp: Option<Mcp>,
    pub(in crate::cli) authn: Option<Authn>,
    pub(in crate::cli) reason: Option<Reason>,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Subject {
    pub(in crate::cli) iss: String,
    pub(in crate::cli) id: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Actor {
    pub(in crate::cli) client_id: Option<String>,
    #[serde(default)]
    pub(in crate::cli) chain: Vec<Link>,
    pub(in crate::cli) client_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Link {
    pub(in crate::cli) sub: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Model {
    pub(in crate::cli) name: String,
    pub(in crate::cli) source: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Mcp {
    pub(in crate::cli) method: Option<String>,
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) server: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Authn {
    #[serde(default)]
    pub(in crate::cli) scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Reason {
    pub(in crate::cli) code: String,
}

impl<'a> Record<'a> {
    /// The record in `line`, if there is one.
    pub(in crate::cli) fn read(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// The client, by the name that its issuer knows.
    pub(in crate::cli) fn client(&self) -> Option<&str> {
        self.actor.as_ref()?.client_id.as_deref()
    }

    /// The tool that was called.
    pub(super) fn tool(&self) -> Option<&str> {
        let mcp = self.mcp.as_ref()?;
        mcp.name
            .as_deref()
            .filter(|_| mcp.method.as_deref() == Some("tools/call"))
    }
}

/// Lines on stdout, many at a time.
#[derive(Debug)]
pub(super) struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Whether somebody still reads.
    pub(super) fn line(&mut self, line: &[u8]) -> bool {
        let written = self
            .0
            .write_all(line)
            .and_then(|()| self.0.write_all(b"\n"));
        written.is_ok()
    }

    /// Whether somebody still reads; what was written is with them now.
    pub(super) fn flush(&mut self) -> bool {
        self.0.flush().is_ok()
    }
}

/// The newest of what was found, or all of it as it comes.
#[derive(Debug)]
pub(super) struct Newest {
    limit: Option<usize>,
    held: VecDeque<Vec<u8>>,
    out: Out,
}

impl Newest {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            held: VecDeque::new(),
            out: Out::new(),
        }
    }

    /// Whether there is reason to look for more.
    pub(super) fn add(&mut self, line: Vec<u8>) -> bool {
        let Some(limit) = self.limit else {
            return self.out.line(&line);
        };
        self.held.push_back(line);
        if self.held.len() > limit {
            self.held.pop_front();
        }
        true
    }

    pub(super) fn finish(mut self) {
        for line in &self.held {
            if !self.out.line(line) {
                return;
            }
        }
        let _ = self.out.flush();
    }
}
