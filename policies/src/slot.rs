//! What a condition looks at that only the call knows: an argument, a claim, a field of an authorization detail.
//! Names it and says its type; reads nothing.

use std::collections::HashMap;
use std::fmt;

use crate::attribute::Type;

/// Where an open value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Root {
    /// `context.args`: the arguments of the call.
    Arguments,
    /// `context.details`: one entry of `authorization_details`.
    Details,
    /// `principal.claims`: the claims of the token.
    Claims,
}

impl Root {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Arguments => "context.args",
            Self::Details => "context.details",
            Self::Claims => "principal.claims",
        }
    }
}

/// How the value becomes one that Cedar compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reading {
    /// Whether it is there at all.
    Present,
    /// As it stands, or converted by `ip(..)`, `decimal(..)`, `datetime(..)` or `duration(..)`.
    As(Type),
    /// `path(..)`: a normalised absolute path.
    Path,
    /// `size(..)`: characters of a text, elements of a list.
    Size,
}

impl Reading {
    /// The type of the outcome.
    pub(crate) const fn kind(self) -> Type {
        match self {
            Self::Present => Type::Bool,
            Self::As(kind) => kind,
            Self::Path => Type::String,
            Self::Size => Type::Long,
        }
    }
}

/// An open value as one policy reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) root: Root,
    /// The keys, from the outside in.
    pub(crate) path: Vec<String>,
    /// `None` until it is known.
    pub(crate) reading: Option<Reading>,
}

/// As a policy writes it: `context.args.order.id`, `principal.claims["x-y"]`.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, self.root, &self.path)
    }
}

pub(crate) fn write_path(f: &mut impl fmt::Write, root: Root, path: &[String]) -> fmt::Result {
    f.write_str(root.text())?;
    for key in path {
        if is_word(key) {
            write!(f, ".{key}")?;
        } else {
            write!(f, "[\"{key}\"]")?;
        }
    }
    Ok(())
}

fn is_word(key: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    key.bytes().next().is_some_and(is_letter)
        && key
            .bytes()
            .all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Every open value that some policy of a set reads, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    all: Vec<Slot>,
    numbers: HashMap<Key, usize>,
}

/// How it is read is `None` in the key of one that is yet to be settled.
type Key = (Root, Vec<String>, Option<Reading>);

impl Slots {
    /// The number of an open value of which it may not be known yet how it is read. Most are read in one way only: then
    /// it keeps the number.
    pub(crate) fn reserve(
        &mut self,
        root: Root,
        path: &[String],
        reading: Option<Reading>,
    ) -> usize {
        let key = (root, path.to_vec(), reading);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.all.len();
        self.all.push(Slot {
            root,
            path: path.to_vec(),
            reading,
        });
        self.numbers.insert(key, number);
        number
    }

    /// Its number, now that it is known.
    pub(crate) fn settle(&mut self, reserved: usize, reading: Reading) -> usize {
        let Some(slot) = self.all.get_mut(reserved) else {
            return reserved;
        };
        let (root, path) = (slot.root, slot.path.clone());
        match slot.reading {
            Some(known) if known == reading => reserved,
            Some(_) => self.reserve(root, &path, Some(reading)),
            None => {
                slot.reading = Some(reading);
                self.numbers.insert((root, path, Some(reading)), reserved);
                reserved
            }
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Slot> {
        self.all.get(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The attributes that the schema must have for them.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (String, Type)> {
        let all = self.all.iter().enumerate();
        all.filter_map(|(number, slot)| Some((attribute(number), slot.reading?.kind())))
    }

    /// The claims among them, each once, in order of the alphabet.
    pub(crate) fn claims(&self) -> Vec<String> {
        let claims = self.all.iter().filter(|slot| slot.root == Root::Claims);
        let mut names: Vec<_> = claims
            .filter_map(|slot| slot.path.first().cloned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// What a message of Cedar says, with what the author wrote for our names.
    pub(crate) fn in_words(&self, message: &str) -> String {
        let mut words = message.to_owned();
        for (number, slot) in self.all.iter().enumerate().rev() {
            let name = attribute(number);
            if words.contains(&name) {
                words = words.replace(&format!("context.{name}"), &slot.to_string());
                words = words.replace(&name, &slot.to_string());
            }
        }
        words
    }
}

/// The attribute of the context that stands for a slot.
pub(crate) fn attribute(number: usize) -> String {
    format!("{RESERVED}{number}")
}

/// How names start that stand for slots: nobody else may write one.
pub(crate) const RESERVED: &str = "__";
/// Open values in one set. Every policy is checked against a schema with all of them.
pub(crate) const MOST_SLOTS: usize = 1024;
