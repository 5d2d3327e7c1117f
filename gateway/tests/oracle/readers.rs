//! What servers in other languages would read: the method and what it reaches, by readers that take keys as they like.
//! Never refuses what it can make sense of.

use super::json::{Json, read};
use super::model::{Deed, folded};

/// What a server goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) method: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) task: Option<String>,
    /// `type`, `name` and `uri` of `ref`.
    pub(crate) reference: [Option<String>; 3],
}

/// Which of several members with a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wins {
    First,
    Last,
}

/// Which keys are the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The same bytes.
    Exact,
    /// Go's `encoding/json`: in any case, with Unicode's simple folding.
    Folded,
    /// C's strings: what stands before the first NUL.
    UntilNul,
}

/// Every reader that is modelled.
pub(crate) const MODELS: [(Keys, Wins); 6] = [
    (Keys::Exact, Wins::First),
    (Keys::Exact, Wins::Last),
    (Keys::Folded, Wins::First),
    (Keys::Folded, Wins::Last),
    (Keys::UntilNul, Wins::First),
    (Keys::UntilNul, Wins::Last),
];

/// What this reader reads, if the bytes are JSON at all.
pub(crate) fn reading(body: &[u8], (keys, wins): (Keys, Wins)) -> Option<Reading> {
    let message = read(body, 256)?;
    let look = |object: Option<&Json>, key: &str| found(object?, key, keys, wins).cloned();
    let text = |object: Option<&Json>, key: &str| look(object, key)?.text().map(str::to_owned);
    let params = look(Some(&message), "params");
    let reference = look(params.as_ref(), "ref");
    let part = |key: &str| text(reference.as_ref(), key);
    Some(Reading {
        method: text(Some(&message), "method"),
        name: text(params.as_ref(), "name"),
        uri: text(params.as_ref(), "uri"),
        task: text(params.as_ref(), "taskId"),
        reference: [part("type"), part("name"), part("uri")],
    })
}

/// Every modelled reader reads in `body` what was decided on.
pub(crate) fn every_model_agrees(deed: &Deed, body: &[u8]) {
    for model in MODELS {
        let read = reading(body, model).expect("what is sent on is JSON");
        agree(deed, &read, &format!("{model:?}"), body);
    }
}

/// The reader reads the same method, and the same names where the method has one.
pub(crate) fn agree(deed: &Deed, read: &Reading, who: &str, body: &[u8]) {
    let body = String::from_utf8_lossy(body);
    assert_eq!(read.method.as_ref(), Some(&deed.method), "{who}: {body}");
    if deed.method != "subscriptions/listen" {
        assert_eq!(read.names(), deed.names, "{who}: {body}");
    }
}

fn found<'a>(object: &'a Json, key: &str, keys: Keys, wins: Wins) -> Option<&'a Json> {
    let is_it = |have: &str| match keys {
        Keys::Exact => have == key,
        Keys::Folded => folded(have) == folded(key),
        Keys::UntilNul => have.split('\0').next() == Some(key),
    };
    let mut fitting = object.object()?.iter().filter(|(have, _)| is_it(have));
    match wins {
        Wins::First => fitting.next(),
        Wins::Last => fitting.next_back(),
    }
    .map(|(_, value)| value)
}

impl Reading {
    /// The names that the method reaches, for a reader that takes the method as it is.
    pub(crate) fn names(&self) -> Vec<&str> {
        let place = match self.method.as_deref() {
            Some("tools/call" | "prompts/get") => &self.name,
            Some("resources/read" | "resources/subscribe" | "resources/unsubscribe") => &self.uri,
            Some("completion/complete") => match self.reference[0].as_deref() {
                Some("ref/prompt") => &self.reference[1],
                _ => &self.reference[2],
            },
            _ => &None,
        };
        place.as_deref().into_iter().collect()
    }
}
