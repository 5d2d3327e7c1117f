//! From a file to settings: the one way, with all mistakes at once. Never starts anything, never answers half a configuration.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::model::Digest;

use super::audit;
use super::authored::Authored;
use super::behaviour;
use super::checked::{Candidate, Server, Settings};
use super::error::{Mistake, Mistakes};
use super::issuers::issuers;
use super::limits;
use super::network::{self, Insecure};
use super::places::Places;
use super::raw::{ROOT, Shape};
use super::recording::recording;
use super::review::Review;
use super::section::{Section, walk};
use super::servers::servers;
use super::shown::{Shown, shown};
use super::sinks;
use super::suite::{Ran, Suite};
use super::tree::{self, At, Node, Value};

/// What a configuration is, and what its authors wrote to make and to test it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is served.
    pub settings: Settings,
    /// The tests of the policy.
    pub suite: Suite,
    /// Where its rules stand.
    pub places: Places,
}

impl Loaded {
    /// Every test that fails is a mistake.
    fn pass(&self) -> Result<(), Mistakes> {
        let ran = self.suite.run(&self.settings.policy).into_iter();
        let failed = ran.filter_map(Ran::into_mistake);
        Mistakes::from_found(failed.collect()).map_or(Ok(()), Err)
    }
}

/// Reads and checks the file at `path`. `environment` answers `${NAME}`. Named files are opened only to see that they can be.
pub fn load(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Mistakes> {
    parse(&readable(path)?, path, environment)
}

/// What is in force with the file at `path`, to be shown: without values of the environment.
pub fn load_shown(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Shown, Mistakes> {
    let text = readable(path)?;
    parse(&text, path, environment)?;
    // INVARIANT: it was read a moment ago, so that it can be read again.
    let node = tree::parse(&text);
    Ok(node.map_or(Shown::Absent, |node| shown(ROOT, &node)))
}

fn readable(path: &Path) -> Result<String, Mistakes> {
    read(path).map_err(|error| {
        Mistakes::one(Mistake::of_file(
            path,
            "unreadable-file",
            format!("cannot read the configuration: {error}"),
            "name a readable file of at most 4 MiB of UTF-8 with `--config`",
        ))
    })
}

/// Checks `text`, which is what the file at `path` says, and runs the tests of its policy; relative paths start at the
/// folder of `path`.
pub fn parse(
    text: &str,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Mistakes> {
    let loaded = parse_untested(text, path, environment)?;
    loaded.pass()?;
    Ok(loaded.settings)
}

/// As [`load`], with all that was loaded besides.
pub fn load_tested(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Mistakes> {
    let loaded = load_untested(path, environment)?;
    loaded.pass()?;
    Ok(loaded)
}

/// As [`load_tested`], and leaves it to the caller to run the tests of the policy. Nothing may be served before they passed.
pub fn load_untested(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Mistakes> {
    parse_untested(&readable(path)?, path, environment)
}

/// Reads and checks the policy of the file at `path`, of which nothing else counts. `servers` are the names of all servers.
pub fn candidate(
    path: &Path,
    servers: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Candidate, Mistakes> {
    let text = readable(path)?;
    let mut review = Review::new(path, &text, environment);
    let candidate = super::policy::read_candidate(&text, Some(servers), &mut review);
    complete(candidate, review)
}

fn parse_untested(
    text: &str,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Mistakes> {
    let mut review = Review::new(path, text, environment);
    let checked = check(text, &mut review);
    complete(checked, review)
}

fn complete<T>(checked: Option<T>, review: Review<'_>) -> Result<T, Mistakes> {
    let path = review.path().to_owned();
    match (checked, Mistakes::from_found(review.into_found())) {
        (_, Some(mistakes)) => Err(mistakes),
        (Some(checked), None) => Ok(checked),
        // INVARIANT: whoever answers nothing has reported why. Should that fail, nothing starts all the same.
        (None, None) => Err(Mistakes::one(Mistake::of_file(
            &path,
            "incomplete",
            "the configuration is incomplete".to_owned(),
            "this should have been explained: please report the file",
        ))),
    }
}

/// The settings; nothing when a mistake was reported.
fn check(text: &str, review: &mut Review<'_>) -> Option<Loaded> {
    let mut node = tree(text, review)?;
    review.expand_variables(&mut node);
    walk(&node, At::START, &Shape::Section(ROOT), review);
    if !matches!(node.value, Value::Map(_)) {
        return None;
    }
    settings(text, &Section::new(ROOT, &node), review)
}

/// The values of a file; nothing when it is no YAML, which is reported.
pub(crate) fn tree(text: &str, review: &mut Review<'_>) -> Option<Node> {
    match tree::parse(text) {
        Ok(node) => Some(node),
        Err(fault) => {
            let help = match review.character(fault.at) {
                Some('*' | '&' | '!' | '%' | '@' | '`') => {
                    "put quotes around a value that starts with this character"
                }
                _ => "look at the indentation, the brackets and the quotes up to here",
            };
            review.report(fault.at, "syntax", fault.message, help);
            None
        }
    }
}

fn settings(text: &str, root: &Section<'_>, review: &mut Review<'_>) -> Option<Loaded> {
    behaviour::version(root, review);
    behaviour::state(root, review);
    let insecure = Insecure::read(root);
    let listen = network::listen(root, insecure, review);
    let public_url = network::public_url(root, insecure, review);
    let mut issuers = issuers(root, review);
    let servers = servers(root, public_url.as_deref(), &issuers, review);
    let authored = Authored::read(root, &servers, &issuers, review);
    let dpop = behaviour::dpop(root, review);
    let audit = audit::audit(root, review);
    let audit_ship = sinks::sinks(root, review);
    let recording = recording(root, &servers, &mut issuers.settings, review);
    let ops = network::ops(root, listen.as_ref(), review);
    let admin = behaviour::admin(root, review);
    let pins_directory = behaviour::pins_directory(root, review);
    let limits = limits::limits(root, review);
    let drain = behaviour::drain(root, review);
    let deny_http_status = behaviour::deny_http_status(root, review);
    let config_digest = digest(text, &servers.settings, &authored.digests());
    let settings = Settings {
        listen: listen?,
        public_url: public_url?,
        issuers: issuers.settings,
        servers: servers.settings,
        policy: authored.policy.set,
        policy_digest: authored.policy.digest,
        mode: authored.mode?,
        zone: authored.policy.zone?,
        shadow: authored.shadow,
        grants: authored.grants,
        dpop: dpop?,
        config_digest,
        audit: audit?,
        audit_ship: audit_ship?,
        recording: recording?,
        ops: Some(ops?),
        admin: Some(admin?),
        pins_directory: pins_directory?,
        limits: limits?,
        drain: drain?,
        deny_http_status,
        insecure: insecure.names(),
    };
    Some(Loaded {
        settings,
        suite: authored.suite,
        places: authored.policy.places,
    })
}

/// The digest of the file, and of what stands in the files that it names: a key or a policy more or less is another
/// configuration.
fn digest(text: &str, servers: &[Server], policies: &[Digest]) -> Digest {
    let keys = servers
        .iter()
        .filter_map(|server| server.audience.api_keys.as_ref());
    let mut parts: Vec<&[u8]> = vec![text.as_bytes()];
    parts.extend(keys.map(|keys| keys.digest.as_bytes().as_slice()));
    parts.extend(policies.iter().map(|digest| digest.as_bytes().as_slice()));
    Digest::of_parts(&parts)
}

/// The file's text, at most [`MAX_BYTES`] of it.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file is too large",
        ));
    }
    Ok(text)
}

const MAX_BYTES: u64 = 4 << 20;
