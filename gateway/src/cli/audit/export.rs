//! `gatewright audit export`: records in the words of other systems, one JSON object a line. Nothing of a record is left out:
//! what has no word there stands under a name of its own.

use serde_json::{Map, Value};

use super::filter::{Asked, Filter, Kinds};
use super::query::look;
use super::record::Newest;
use super::{Place, ecs, ocsf};
use crate::audit::read::Records;
use crate::cli::{FAILED, complain, complain_of};
use crate::config::Colour;
use crate::model::{Clock, SystemClock};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    asked: Asked,
    /// `native`: the records themselves. `ocsf`: API Activity (6003) of the Open Cybersecurity Schema Framework, for
    /// records about requests. `ecs`: the Elastic Common Schema.
    #[arg(long, value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Native,
    Ocsf,
    Ecs,
}

pub(super) fn run(export: Export, colour: Colour) -> u8 {
    let filter = Filter::new(export.asked, SystemClock.now(), Kinds::All);
    let directories = match export.place.directories(colour) {
        Ok(directories) => directories,
        Err(code) => return code,
    };
    let shown = |line: &[u8]| match export.format {
        Format::Native => Some(line.to_vec()),
        Format::Ocsf => mapped(line, ocsf::map),
        Format::Ecs => mapped(line, |rest| Some(ecs::map(rest))),
    };
    let exported = Records::open(&directories, filter.since)
        .and_then(|records| look(records, &filter, |line, _| shown(line), Newest::new(None)));
    match exported {
        Ok(0) => 0,
        Ok(unreadable) => {
            complain(&format!(
                "lines that are no record: {unreadable}; see `gatewright audit verify`"
            ));
            FAILED
        }
        Err(error) => {
            complain_of(&error);
            FAILED
        }
    }
}

fn mapped(line: &[u8], map: impl Fn(Rest) -> Option<Value>) -> Option<Vec<u8>> {
    let rest = Rest(serde_json::from_slice(line).ok()?);
    map(rest).map(|mapped| mapped.to_string().into_bytes())
}

/// What of a record has no other place yet.
#[derive(Debug)]
pub(super) struct Rest(pub(super) Map<String, Value>);

impl Rest {
    /// Takes a member of the record.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Takes a member of a part.
    pub(super) fn part(&mut self, part: &str, name: &str) -> Option<Value> {
        let members = self.0.get_mut(part)?.as_object_mut()?;
        let value = members.remove(name);
        if members.is_empty() {
            self.0.remove(part);
        }
        value
    }

    /// The text of a member that stays.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// An object of what there is.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Option<Value> {
    let present = members.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_null())?;
        Some((name.to_owned(), value))
    });
    let object: Map<_, _> = present.collect();
    (!object.is_empty()).then_some(Value::Object(object))
}
