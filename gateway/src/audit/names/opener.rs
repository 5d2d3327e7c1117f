//! Reads records as who may: puts the names that the book still knows in the place of what is sealed. Never changes the
//! book or a record file.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::alias::{Alias, is_sealed};
use super::book::{failed, place, read};
use super::error::BookError;

/// Everybody who is in the book, by pseudonym.
#[derive(Debug)]
pub struct Opener(HashMap<String, Person>);

#[derive(Debug)]
struct Person {
    issuer: String,
    subject: String,
    alias: Alias,
}

impl Opener {
    /// Reads the book beside `ledger`. Where there is none, nobody is in it.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn read(ledger: &Path) -> Result<Self, BookError> {
        let folder = place(ledger);
        let mut persons = HashMap::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self(persons));
            }
            Err(source) => return Err(failed(&folder, source)),
        };
        for entry in entries {
            let path = entry.map_err(|source| failed(&folder, source))?.path();
            let is_row = path.extension().is_some_and(|ending| ending == "json");
            // One that was erased in the meantime is nobody.
            let bytes = std::fs::read(&path).ok().filter(|_| is_row);
            let row = bytes.as_deref().and_then(read);
            let Some((row, alias)) = row.and_then(|row| row.alias().map(|alias| (row, alias)))
            else {
                continue;
            };
            let person = Person {
                issuer: row.iss,
                subject: row.sub,
                alias,
            };
            persons.insert(person.alias.pseudonym().to_owned(), person);
        }
        Ok(Self(persons))
    }

    /// The issuer and the subject behind `pseudonym`.
    pub fn name(&self, pseudonym: &str) -> Option<(&str, &str)> {
        let person = self.0.get(pseudonym)?;
        Some((&person.issuer, &person.subject))
    }

    /// Opens whatever can be opened in `record`.
    pub fn open(&self, record: &mut Value) {
        let subject = record.get("sub").and_then(Value::as_str);
        let subject = subject.and_then(|pseudonym| self.0.get(pseudonym));
        self.open_within(record, subject);
    }

    fn open_within(&self, value: &mut Value, subject: Option<&Person>) {
        match value {
            Value::String(text) if is_sealed(text) => {
                let named = self.name(text).map(|(_, subject)| subject.to_owned());
                let opened = || subject?.alias.open(text);
                if let Some(plain) = named.or_else(opened) {
                    *text = plain;
                }
            }
            Value::Array(items) => {
                let each = items.iter_mut();
                each.for_each(|item| self.open_within(item, subject));
            }
            Value::Object(members) => {
                let each = members.values_mut();
                each.for_each(|member| self.open_within(member, subject));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
