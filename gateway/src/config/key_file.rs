//! The files of API keys for whoever adds to them: where they lie and what a row looks like. Never writes one.

use std::path::{Path, PathBuf};

use crate::model::Digest;

use super::checked::Settings;
use super::error::Mistakes;
use super::keys::{self, HASH_PREFIX};
use super::load;
use super::raw::ROOT;
use super::review::Review;
use super::section::Section;
use super::tree;

/// Where the keys of a server lie. The files need not be there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The rows.
    pub keys: PathBuf,
    /// The key of the hash.
    pub hash_key: PathBuf,
}

/// The files that the configuration at `path` names for `server`; nothing when it names none, or cannot be read.
pub fn files(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    server: &str,
) -> Option<KeyFiles> {
    let text = load::read(path).ok()?;
    let mut review = Review::new(path, &text, environment);
    let mut node = tree::parse(&text).ok()?;
    review.expand_variables(&mut node);
    let servers = Section::new(ROOT, &node).sections("servers");
    let named = |section: &&Section<'_>| {
        section
            .text("name")
            .is_some_and(|name| name.value == server)
    };
    let section = servers.iter().find(named)?.section("api_keys");
    Some(KeyFiles {
        keys: review.resolve(&section.text("keys_file")?.value),
        hash_key: review.resolve(&section.text("hash_key_file")?.value),
    })
}

/// A key as its row says it.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// The part of the key that finds its row.
    pub id: &'a str,
    /// The hash of the whole key.
    pub hash: Digest,
    /// Who it names.
    pub subject: &'a str,
    /// The client it is given to.
    pub client: &'a str,
    /// Its roles.
    pub roles: &'a [String],
    /// Its scopes.
    pub scopes: &'a [String],
    /// What kind of party it names.
    pub kind: &'a str,
    /// The server that it is for.
    pub server: &'a str,
    /// Its own end, as a day.
    pub sunset: Option<&'a str>,
    /// The day on which it was made.
    pub created: &'a str,
}

impl NewRow<'_> {
    /// `text`, which is what the file at `path` says, with this row at its end.
    ///
    /// # Errors
    /// What would be wrong with it.
    pub fn add_to(&self, text: &str, path: &Path, settings: &Settings) -> Result<String, Mistakes> {
        let kept = text.trim_end();
        let kept = kept.strip_suffix("[]").unwrap_or(kept).trim_end();
        let line_end = if kept.is_empty() { "" } else { "\n" };
        let new = format!("{kept}{line_end}{}", self.yaml());
        let names = settings.servers.iter();
        let names: Vec<_> = names
            .map(|server| server.audience.server.to_string())
            .collect();
        keys::check(&new, path, &names)?;
        Ok(new)
    }

    fn yaml(&self) -> String {
        let sunset = self
            .sunset
            .map_or(String::new(), |day| format!("  sunset: {}\n", quoted(day)));
        format!(
            "- id: {}\n  hash: {HASH_PREFIX}{}\n  subject: {}\n  client: {}\n  roles: {}\n  scopes: {}\n  \
             kind: {}\n  servers: [{}]\n{sunset}  created: {}\n",
            quoted(self.id),
            self.hash,
            quoted(self.subject),
            quoted(self.client),
            list(self.roles),
            list(self.scopes),
            quoted(self.kind),
            quoted(self.server),
            quoted(self.created),
        )
    }
}

/// A string of JSON is one of YAML too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}
