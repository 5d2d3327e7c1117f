//! `gatewright audit erase` and `gatewright audit reveal`: the persons behind the pseudonyms of records. Never changes a
//! record.

use std::io::BufRead;
use std::path::PathBuf;

use serde_json::Value;

use crate::audit::names::Opener;
use crate::cli::lines::visible;
use crate::cli::{FAILED, Format, INVALID, Instance, complain, complain_of, instance, say, talk};
use crate::config::{load, search};
use crate::control::subjects::Erase;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct EraseArgs {
    #[command(flatten)]
    instance: Instance,
    /// The issuer that names the person.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// Its name for them: the `sub` of their tokens.
    #[arg(long, value_name = "SUB")]
    sub: String,
}

/// Without a pseudonym, records are read from stdin and written to stdout with the names that are still known. They
/// cannot be verified any more then.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RevealArgs {
    /// The configuration that names the ledger.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The ledger, when it is not the one of the configuration.
    #[arg(long, value_name = "FOLDER")]
    ledger: Option<PathBuf>,
    /// Pseudonyms, as records have them.
    #[arg(value_name = "PSEUDONYM")]
    pseudonyms: Vec<String>,
}

pub(super) fn erase(arguments: EraseArgs) -> u8 {
    let erase = Erase {
        issuer: arguments.issuer,
        subject: arguments.sub,
    };
    let format = arguments.instance.output;
    let (method, target) = erase.write();
    let answer = match instance::send(arguments.instance, method, &target, FAILED) {
        Ok(answer) => answer,
        Err(code) => return code,
    };
    match (format, serde_json::from_str::<Value>(&answer)) {
        (Format::Text, Ok(done)) => {
            let pseudonym = done.get("erased").and_then(Value::as_str);
            say(&format!(
                "erased {}",
                visible(pseudonym.unwrap_or_default())
            ));
        }
        (Format::Text | Format::Json, _) => say(&answer),
    }
    0
}

pub(super) fn reveal(arguments: &RevealArgs) -> u8 {
    let ledger = match ledger(arguments) {
        Ok(ledger) => ledger,
        Err(code) => return code,
    };
    let opener = match Opener::read(&ledger) {
        Ok(opener) => opener,
        Err(error) => {
            complain_of(&error);
            return FAILED;
        }
    };
    if arguments.pseudonyms.is_empty() {
        return open_lines(&opener);
    }
    let mut code = 0;
    for pseudonym in &arguments.pseudonyms {
        if let Some((issuer, subject)) = opener.name(pseudonym) {
            say(&format!("{}  {}", visible(subject), visible(issuer)));
        } else {
            talk(&format!("nobody is known as `{}`", visible(pseudonym)));
            code = FAILED;
        }
    }
    code
}

fn open_lines(opener: &Opener) -> u8 {
    let mut code = 0;
    for line in std::io::stdin().lock().lines() {
        let record = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        let Some(mut record) = record else {
            complain(&"a line of stdin is no record");
            code = FAILED;
            continue;
        };
        opener.open(&mut record);
        say(&record.to_string());
    }
    code
}

fn ledger(arguments: &RevealArgs) -> Result<PathBuf, u8> {
    if let Some(ledger) = &arguments.ledger {
        return Ok(ledger.clone());
    }
    let found = search::find(arguments.config.clone(), &search::process_environment);
    let path = found.map_err(|nothing| {
        complain(&nothing);
        INVALID
    })?;
    let settings = load::load(&path, &search::process_environment).map_err(|mistakes| {
        talk(&format!(
            "{mistakes}\n\nname the ledger with `--ledger` instead"
        ));
        INVALID
    })?;
    Ok(settings.audit.directory)
}
