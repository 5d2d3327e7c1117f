//! The API keys of a server: where they lie and what each row says. Never sees a key, and never shows a hash.

use std::path::Path;

use crate::identity::PrincipalKind;
use crate::identity::api_key::{SHORTEST_HASH_KEY, is_id};
use crate::identity::credential::API_KEY_PREFIX;
use crate::identity::settings::{ApiKeyRow, ApiKeySettings};
use crate::model::{Digest, RoleName, Secret, UnixTime};

use super::behaviour::choose;
use super::day::{Day, day};
use super::error::Mistakes;
use super::issuers::filled;
use super::list::refuse_twins;
use super::load;
use super::raw::{API_KEY_ROW, Shape};
use super::review::Review;
use super::scopes::scopes;
use super::section::{Section, walk};
use super::suggest;
use super::tree::{self, At, Node, Text, Value};

/// `api_keys`, if it is there. `server` is the server's name; `names` are those of all servers.
pub(crate) fn api_keys(
    section: &Section<'_>,
    names: &[String],
    review: &mut Review<'_>,
) -> Option<ApiKeySettings> {
    section.node("api_keys")?;
    let server = section.text("name");
    let section = section.section("api_keys");
    let hash_key = hash_key(&section, review);
    let sunset = section
        .text("sunset")
        .and_then(|text| day(&text, review))
        .map(Day::end);
    let file = section
        .text("keys_file")
        .and_then(|text| named_file(&text, review))?;
    let (rows, digest) = rows(&file, names, review)?;
    let server = server?.value;
    let is_for = |row: &Row| row.servers.is_empty() || row.servers.contains(&server);
    let mine = rows.into_iter().filter(is_for).map(|row| row.key);
    Some(ApiKeySettings {
        keys_file: file,
        hash_key: hash_key?,
        rows: mine.collect(),
        sunset: sunset?,
        digest,
    })
}

fn hash_key(section: &Section<'_>, review: &mut Review<'_>) -> Option<Secret<String>> {
    let text = section.text("hash_key_file")?;
    named_file(&text, review)?;
    let secret = review.secret_file(&text)?;
    if secret.expose().len() >= SHORTEST_HASH_KEY {
        return Some(secret);
    }
    review.report(
        text.at,
        "bad-secret",
        format!("the key of the hash has less than {SHORTEST_HASH_KEY} characters"),
        "remove the file: `gatewright keys new` makes a good one",
    );
    None
}

/// The path of a file that `keys new` makes.
fn named_file(text: &Text, review: &mut Review<'_>) -> Option<std::path::PathBuf> {
    let path = review.resolve(&text.value);
    if path.exists() {
        return review.existing_file(text);
    }
    review.report(
        text.at,
        "missing-file",
        format!("there is no `{}`", path.display()),
        "`gatewright keys new` makes it, with the first key",
    );
    None
}

/// A row and the servers that it is for; none means all.
struct Row {
    key: ApiKeyRow,
    servers: Vec<String>,
}

/// Whether `text` would be a good file of keys at `path`.
pub(crate) fn check(text: &str, path: &Path, names: &[String]) -> Result<(), Mistakes> {
    let mut review = Review::new(path, text, &|_| None);
    let _ = read(text, names, &mut review);
    Mistakes::from_found(review.into_found()).map_or(Ok(()), Err)
}

/// The rows of the file at `path`, all of them or none, and its digest.
fn rows(path: &Path, names: &[String], review: &mut Review<'_>) -> Option<(Vec<Row>, Digest)> {
    let text = load::read(path).unwrap_or_default();
    let mut inner = Review::new(path, &text, &|_| None);
    let read = read(&text, names, &mut inner);
    let mut found = inner.into_found();
    let is_good = found.is_empty();
    for mistake in &mut found {
        mistake.source = without_keys(&mistake.source);
        mistake.message = without_keys(&mistake.message);
        mistake.help = without_keys(&mistake.help);
    }
    review.absorb(found);
    read.filter(|_| is_good)
        .map(|rows| (rows, Digest::of(text.as_bytes())))
}

/// What is shown of a file into which somebody wrote a key.
fn without_keys(text: &str) -> String {
    let mut pieces = text.split(API_KEY_PREFIX);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |shown, piece| {
        let rest =
            piece.trim_start_matches(|one: char| one.is_ascii_alphanumeric() || "-_".contains(one));
        format!("{shown}{API_KEY_PREFIX}(..){rest}")
    })
}

fn read(text: &str, names: &[String], review: &mut Review<'_>) -> Option<Vec<Row>> {
    let node = match tree::parse(text) {
        Ok(node) => node,
        Err(fault) => {
            let help = "write one `- id: …` for each key, as `gatewright keys new` does";
            review.report(fault.at, "syntax", fault.message, help);
            return None;
        }
    };
    // A file of comments has no key yet.
    if node.value != Value::Null {
        walk(&node, At::START, &KEYS_FILE, review);
    }
    let sections = sections(&node);
    refuse_twins(&sections, ("id", "duplicate-api-key"), |id| id, review);
    let read = |section: &Section<'_>| row(section, names, review);
    sections.iter().map(read).collect()
}

fn sections(node: &Node) -> Vec<Section<'_>> {
    let Value::List(items) = &node.value else {
        return Vec::new();
    };
    let section = |item| Section::new(API_KEY_ROW, item);
    items.iter().map(section).collect()
}

fn row(section: &Section<'_>, names: &[String], review: &mut Review<'_>) -> Option<Row> {
    let id = section.text("id").and_then(|text| id(text, review));
    let hash = section.text("hash").and_then(|text| hash(&text, review));
    let mut name = |key: &str| {
        let text = section.text(key)?;
        filled(text, "a name", review)
    };
    let (subject, client) = (name("subject"), name("client"));
    let roles = section.texts("roles")?.into_iter();
    let scopes = scopes(section, review);
    let kinds = [
        PrincipalKind::Service,
        PrincipalKind::Agent,
        PrincipalKind::User,
    ];
    let kinds = kinds.map(|kind| (kind.name(), kind));
    let kind = choose(section, "kind", &kinds, &[], review);
    let servers = servers(section, names, review);
    let (created, sunset) = days(section, review);
    Some(Row {
        key: ApiKeyRow {
            id: id?,
            hash: hash?,
            subject: subject?,
            client: client?,
            roles: roles.map(|text| RoleName::new(text.value)).collect(),
            scopes: scopes?,
            kind: kind?,
            sunset,
            created: created?,
        },
        servers: servers?,
    })
}

fn id(text: Text, review: &mut Review<'_>) -> Option<String> {
    if is_id(&text.value) {
        return Some(text.value);
    }
    review.report(
        text.at,
        "bad-api-key",
        "this is not the id of a key",
        "an id has 12 of `a` to `z` and `0` to `9`; `gatewright keys new` makes one",
    );
    None
}

fn hash(text: &Text, review: &mut Review<'_>) -> Option<Digest> {
    let digest = text
        .value
        .strip_prefix(HASH_PREFIX)
        .and_then(Digest::from_hex);
    if digest.is_none() {
        review.report(
            text.at,
            "bad-api-key",
            "this is not the hash of a key",
            "a hash is `hmac-sha256:` and 64 of `0` to `9` and `a` to `f`; the key itself never stands here",
        );
    }
    digest
}

/// When the key was made, and its own end. RFC 9745 section 4: what ends was deprecated before.
fn days(section: &Section<'_>, review: &mut Review<'_>) -> (Option<UnixTime>, Option<UnixTime>) {
    let created = section.text("created").and_then(|text| day(&text, review));
    let written = section.text("sunset");
    let sunset = written.as_ref().and_then(|text| day(text, review));
    if let (Some(created), Some(sunset), Some(text)) = (created, sunset, written)
        && sunset < created
    {
        review.report(
            text.at,
            "bad-date",
            "the key ends before it was made",
            "write a later `sunset`, or remove the row",
        );
    }
    (created.map(Day::start), sunset.map(Day::end))
}

fn servers(
    section: &Section<'_>,
    names: &[String],
    review: &mut Review<'_>,
) -> Option<Vec<String>> {
    let texts = section.texts("servers")?;
    if section.node("servers").is_some() && texts.is_empty() {
        review.report(
            section.at(),
            "empty-list",
            "the key is for no server",
            "name at least one, or remove `servers`",
        );
    }
    for text in texts.iter().filter(|text| !names.contains(&text.value)) {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        review.report(
            text.at,
            "unknown-server",
            format!("no server is named `{}`", text.value),
            suggest::help(&text.value, &known, "the servers are"),
        );
    }
    Some(texts.into_iter().map(|text| text.value).collect())
}

static KEYS_FILE: Shape = Shape::Each(&Shape::Section(API_KEY_ROW));
/// How a hash begins in the file.
pub(crate) const HASH_PREFIX: &str = "hmac-sha256:";
