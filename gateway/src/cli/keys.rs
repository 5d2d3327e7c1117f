//! `gatewright keys new`: makes an API key, shows it once, and keeps its hash. Never replaces a key or the key of the hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Configured, FAILED, INVALID, USAGE, complain, say, talk};
use crate::config::key_file::{self, KeyFiles, NewRow};
use crate::config::{Colour, Settings, load, search, sunset};
use crate::identity::PrincipalKind;
use crate::identity::api_key::{NewKey, random_text};
use crate::identity::settings::ApiKeySettings;
use crate::model::{Clock, SystemClock};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Keys {
    /// Make a key, print it once, and add its hash to the server's keys file.
    New(New),
}

#[derive(Debug, clap::Args)]
pub(super) struct New {
    #[command(flatten)]
    configured: Configured,
    /// The server that the key is for.
    #[arg(long, value_name = "NAME")]
    server: String,
    /// Who the key names in records and rules.
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// The client that the key is given to.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// A role of the key; may be given several times.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// A scope of the key; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// What kind of party it names.
    #[arg(long, value_enum, default_value_t = Kind::Service)]
    kind: Kind,
    /// The last day of this key, in UTC, if it ends before the server's sunset.
    #[arg(long, value_name = "DATE")]
    sunset: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Service,
    Agent,
    User,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Service => PrincipalKind::Service.name(),
            Self::Agent => PrincipalKind::Agent.name(),
            Self::User => PrincipalKind::User.name(),
        }
    }
}

pub(super) fn new(mut new: New, colour: Colour) -> u8 {
    let config = new.configured.config.take();
    match make(&new, config, colour) {
        Ok(key) => {
            say(key.key.expose());
            0
        }
        Err(code) => code,
    }
}

fn make(new: &New, config: Option<PathBuf>, colour: Colour) -> Result<NewKey, u8> {
    let path = search::find(config, &search::process_environment).map_err(|nothing| {
        complain(&nothing);
        INVALID
    })?;
    let files = key_file::files(&path, &search::process_environment, &new.server);
    let made = match &files {
        Some(files) => prepare(files)?,
        None => Vec::new(),
    };
    let added = load::load(&path, &search::process_environment)
        .map_err(|mistakes| {
            talk(&mistakes.render(colour));
            INVALID
        })
        .and_then(|settings| add(new, &settings, colour));
    if added.is_err() {
        for file in made {
            drop(fs::remove_file(file));
        }
    }
    added
}

/// Makes what is missing; answers what it made.
fn prepare(files: &KeyFiles) -> Result<Vec<&Path>, u8> {
    let mut made: Vec<&Path> = Vec::new();
    let is_kept = fs::metadata(&files.keys).is_ok_and(|file| file.len() > HEAD.len() as u64);
    if !files.hash_key.exists() {
        // Another key of the hash would end all keys there are.
        if is_kept {
            complain(&format!(
                "there is no `{}`, and the keys in `{}` are hashed with it: put it back",
                files.hash_key.display(),
                files.keys.display()
            ));
            return Err(FAILED);
        }
        let secret = random_text().ok_or_else(no_randomness)?;
        create(&files.hash_key, &format!("{secret}\n"), SECRET_MODE)
            .map_err(|error| unwritable(&files.hash_key, &error))?;
        made.push(&files.hash_key);
    }
    if !files.keys.exists() {
        create(&files.keys, HEAD, SECRET_MODE).map_err(|error| unwritable(&files.keys, &error))?;
        made.push(&files.keys);
    }
    Ok(made)
}

fn add(new: &New, settings: &Settings, colour: Colour) -> Result<NewKey, u8> {
    let server = settings
        .servers
        .iter()
        .find(|server| server.audience.server.as_str() == new.server);
    let Some(keys) = server.and_then(|server| server.audience.api_keys.as_ref()) else {
        complain(&format!("no server `{}` takes API keys", new.server));
        return Err(USAGE);
    };
    let key = NewKey::make().ok_or_else(no_randomness)?;
    let today = SystemClock.now().to_string();
    let row = NewRow {
        id: &key.id,
        hash: key.hash(&keys.hash_key),
        subject: &new.subject,
        client: &new.client,
        roles: &new.roles,
        scopes: &new.scopes,
        kind: new.kind.name(),
        server: &new.server,
        sunset: new.sunset.as_deref(),
        created: today.get(..DAY).unwrap_or_default(),
    };
    append(&row, keys, settings, colour)?;
    warn_of(new, settings);
    talk(&format!(
        "key `{}` is in {}; the gateway takes it after `gatewright reload`\nthis is the only time the key is shown:",
        key.id,
        keys.keys_file.display()
    ));
    Ok(key)
}

/// Writes the file anew beside the old one and puts it in its place, so that no reader sees half of it.
fn append(
    row: &NewRow<'_>,
    keys: &ApiKeySettings,
    settings: &Settings,
    colour: Colour,
) -> Result<(), u8> {
    let file = fs::canonicalize(&keys.keys_file).unwrap_or_else(|_| keys.keys_file.clone());
    let beside = beside(&file);
    // Whoever makes this file may change the other; its mode is that of the other.
    let mut unnamed = lock(&file, &beside)?;
    let written = fs::read_to_string(&file)
        .map_err(|error| unwritable(&file, &error))
        .and_then(|text| {
            row.add_to(&text, &keys.keys_file, settings)
                .map_err(|mistakes| {
                    complain(&format!(
                        "this is no good row\n\n{}",
                        mistakes.render(colour)
                    ));
                    USAGE
                })
        })
        .and_then(|text| {
            replace(&mut unnamed, &text, (&beside, &file))
                .map_err(|error| unwritable(&file, &error))
        });
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

fn lock(file: &Path, beside: &Path) -> Result<File, u8> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(SECRET_MODE)
        .open(beside)
        .map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let beside = beside.display();
                complain(&format!(
                    "another key is being made; if not, remove `{beside}`"
                ));
                FAILED
            } else {
                unwritable(file, &error)
            }
        })
}

fn replace(new: &mut File, text: &str, (beside, file): (&Path, &Path)) -> io::Result<()> {
    new.write_all(text.as_bytes())?;
    new.set_permissions(fs::metadata(file)?.permissions())?;
    new.sync_all()?;
    fs::rename(beside, file)
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    file.with_file_name(name)
}

/// Creates a file with this text; one that is there already is left alone.
fn create(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A role that no rule names gives nothing, and a sunset may be near.
fn warn_of(new: &New, settings: &Settings) {
    let is_known = |role: &str| {
        settings
            .policy
            .rows()
            .iter()
            .any(|row| row.role.as_str() == role)
    };
    for role in new.roles.iter().filter(|role| !is_known(role)) {
        talk(&format!("warning: the policy has no role `{role}`"));
    }
    for warning in sunset::warnings(settings, SystemClock.now()) {
        talk(&format!("warning: {warning}"));
    }
}

fn unwritable(path: &Path, error: &io::Error) -> u8 {
    complain(&format!("cannot write `{}`: {error}", path.display()));
    FAILED
}

fn no_randomness() -> u8 {
    complain(&"the system has no randomness to make a key of");
    FAILED
}

/// The first line of a new keys file.
const HEAD: &str =
    "# API keys, hashed. `gatewright keys new` adds one; to end one, remove its row and reload.\n";
const SECRET_MODE: u32 = 0o600;
/// How much of a time is its day: `2026-11-21`.
const DAY: usize = 10;
