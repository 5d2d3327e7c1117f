//! `gatewright policy promote`: puts a new policy into the place of the one of a running gateway. Never changes anything but the policy,
//! and never leaves a file behind that the gateway does not serve.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hyper::Method;
use serde::Deserialize;

use super::shadow::Shadow;
use crate::cli::{FAILED, INVALID, Instance, check, complain, instance, say, talk};
use crate::config::differences::besides_policy;
use crate::config::{Colour, Settings, load, search};

/// Brings a policy into force.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 promoted; 1 something else than the policy differs, or the file cannot be written; 2 usage; 3 the configuration is invalid or was refused; 4 its tests failed; 5 the gateway cannot be reached."
)]
pub(in crate::cli) struct Promote {
    /// The configuration to promote: that of the gateway, with another policy.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    instance: Instance,
}

pub(super) fn run(promote: Promote, colour: Colour) -> u8 {
    bring_in(promote, colour).err().unwrap_or(0)
}

fn bring_in(promote: Promote, colour: Colour) -> Result<(), u8> {
    let Promote { file, instance } = promote;
    let current =
        search::find(instance.config.clone(), &search::process_environment).map_err(|nothing| {
            complain(&nothing);
            INVALID
        })?;
    let old = loaded(&current, colour)?;
    let (new, text) = candidate(&file, &current, colour)?;
    refuse_other_changes(&current, &text)?;
    let socket = instance.socket.clone().or_else(|| old.admin.clone());
    let to_gateway = || Instance {
        config: None,
        output: instance.output,
        socket: socket.clone(),
    };
    refuse_another_file(&ask::<Status>(to_gateway(), "/status")?, &old, &current)?;
    let shadow = ask::<Shadow>(to_gateway(), "/shadow")?;
    let written = Replaced::write(&current, &text).map_err(|error| {
        complain(&format!("cannot write `{}`: {error}", current.display()));
        FAILED
    })?;
    if let Err(code) = instance::send(to_gateway(), Method::POST, "/reload", INVALID) {
        written.undo();
        return Err(code);
    }
    let digest = new.policy_digest.to_string();
    say(&told(&digest, written.owner, &shadow));
    Ok(())
}

/// `promoted sha256:9c1d… by uid:0, shadow 72h, 5 acknowledged`.
fn told(digest: &str, owner: u32, shadow: &Shadow) -> String {
    let short = digest.get(..SHOWN).unwrap_or(digest);
    let trial = if shadow.is_of(digest) {
        format!(
            "shadow {}, {} acknowledged",
            shadow.age(),
            shadow.disagreements
        )
    } else {
        "without a shadow".to_owned()
    };
    format!("promoted sha256:{short} by uid:{owner}, {trial}")
}

fn loaded(path: &Path, colour: Colour) -> Result<Settings, u8> {
    load::load(path, &search::process_environment).map_err(|mistakes| {
        talk(&mistakes.render(colour));
        check::refused(&mistakes)
    })
}

/// The new configuration, checked and tested where it is and where it will be: its paths must mean the same files.
fn candidate(file: &Path, current: &Path, colour: Colour) -> Result<(Settings, String), u8> {
    let new = loaded(file, colour)?;
    let text = fs::read_to_string(file).map_err(|error| {
        complain(&format!("cannot read `{}`: {error}", file.display()));
        FAILED
    })?;
    let there = load::parse(&text, current, &search::process_environment).map_err(|mistakes| {
        talk(&mistakes.render(colour));
        check::refused(&mistakes)
    })?;
    if there.policy_digest == new.policy_digest {
        return Ok((new, text));
    }
    complain(&format!(
        "the paths of `{}` mean other files where `{}` is: put it into the same folder",
        file.display(),
        current.display()
    ));
    Err(FAILED)
}

fn refuse_other_changes(current: &Path, new: &str) -> Result<(), u8> {
    let old = fs::read_to_string(current).unwrap_or_default();
    let different = besides_policy(&old, new);
    match different.as_deref() {
        Some([]) => return Ok(()),
        Some(different) => complain(&format!(
            "only the policy can be promoted, and these differ too: {}",
            different.join(", ")
        )),
        None => complain(&format!("`{}` cannot be compared", current.display())),
    }
    Err(FAILED)
}

#[derive(Debug, Deserialize)]
struct Status {
    config: String,
}

fn refuse_another_file(status: &Status, old: &Settings, current: &Path) -> Result<(), u8> {
    if status.config == old.config_digest.to_string() {
        return Ok(());
    }
    complain(&format!(
        "the gateway does not serve what `{}` says now: reload it first, or name its file with `--config`",
        current.display()
    ));
    Err(FAILED)
}

pub(super) fn ask<T: for<'a> Deserialize<'a>>(instance: Instance, target: &str) -> Result<T, u8> {
    let answer = instance::send(instance, Method::GET, target, FAILED)?;
    serde_json::from_str(&answer).map_err(|error| {
        complain(&format!("the gateway's answer cannot be read: {error}"));
        FAILED
    })
}

/// A file that was replaced, and what it was.
struct Replaced {
    path: PathBuf,
    old: PathBuf,
    /// The user id of whoever replaced it.
    owner: u32,
}

impl Replaced {
    /// Puts `text` into the place of what is at `path`, in one step; what was there is kept beside it as `.old`.
    fn write(path: &Path, text: &str) -> io::Result<Self> {
        // A link stays a link to the file that is replaced.
        let path = fs::canonicalize(path)?;
        let beside = |end: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let (new, old) = (beside(".new"), beside(".old"));
        let mode = fs::metadata(&path)?.mode() & 0o777;
        let owner = write_new(&new, mode, text)?;
        let moved = fs::copy(&path, &old).and_then(|_| fs::rename(&new, &path));
        if let Err(error) = moved {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        Ok(Self { path, old, owner })
    }

    fn undo(&self) {
        if let Err(error) = fs::rename(&self.old, &self.path) {
            let (old, path) = (self.old.display(), self.path.display());
            complain(&format!(
                "`{path}` is not what is served, and `{old}` cannot be put back: {error}"
            ));
        }
    }
}

/// Writes a file that was not there, to the disk; answers whose it is.
fn write_new(path: &Path, mode: u32, text: &str) -> io::Result<u32> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file.metadata()?.uid())
}

/// Digits of a digest that are shown.
const SHOWN: usize = 12;
