//! A small notebook in memory: what the embedded MCP server is about. Never on disk, never without bounds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// One note.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Note {
    /// The number of the note.
    pub(super) id: u64,
    /// The title, one line.
    pub(super) title: String,
    /// The text.
    pub(super) text: String,
}

/// The notebook. Clones share their notes.
#[derive(Debug, Clone)]
pub(super) struct Notebook(Arc<Mutex<Pages>>);

#[derive(Debug)]
struct Pages {
    notes: BTreeMap<u64, Note>,
    next: u64,
}

/// Why a note was not had or not kept.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum NoteError {
    #[error("there is no note `{id}`")]
    Missing { id: u64 },
    #[error("a title has 1 to {MAX_TITLE} bytes, a text at most {MAX_TEXT}")]
    Size,
    #[error("the notebook holds {MAX_NOTES} notes at most: delete one first")]
    Full,
}

impl Notebook {
    /// A notebook with a few notes to find.
    pub(super) fn with_samples() -> Self {
        let notes = (1..).zip(SAMPLES).map(|(id, (title, text))| {
            (
                id,
                Note {
                    id,
                    title: title.to_owned(),
                    text: text.to_owned(),
                },
            )
        });
        let notes: BTreeMap<_, _> = notes.collect();
        let next = notes.keys().next_back().map_or(1, |last| last + 1);
        Self(Arc::new(Mutex::new(Pages { notes, next })))
    }

    /// Every note, by number.
    pub(super) fn all(&self) -> Vec<Note> {
        self.pages().notes.values().cloned().collect()
    }

    /// The notes that contain `query`, whatever the case.
    pub(super) fn search(&self, query: &str) -> Vec<Note> {
        let query = query.to_lowercase();
        let contains = |text: &str| text.to_lowercase().contains(&query);
        self.all()
            .into_iter()
            .filter(|note| contains(&note.title) || contains(&note.text))
            .collect()
    }

    /// One note.
    pub(super) fn read(&self, id: u64) -> Result<Note, NoteError> {
        self.pages()
            .notes
            .get(&id)
            .cloned()
            .ok_or(NoteError::Missing { id })
    }

    /// Keeps a new note.
    pub(super) fn add(&self, title: String, text: String) -> Result<Note, NoteError> {
        if !(1..=MAX_TITLE).contains(&title.len()) || text.len() > MAX_TEXT {
            return Err(NoteError::Size);
        }
        let mut pages = self.pages();
        if pages.notes.len() >= MAX_NOTES {
            return Err(NoteError::Full);
        }
        let note = Note {
            id: pages.next,
            title,
            text,
        };
        pages.next += 1;
        pages.notes.insert(note.id, note.clone());
        Ok(note)
    }

    /// Takes a note out.
    pub(super) fn delete(&self, id: u64) -> Result<Note, NoteError> {
        self.pages()
            .notes
            .remove(&id)
            .ok_or(NoteError::Missing { id })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MAX_NOTES: usize = 1000;
const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 64 * 1024;

const SAMPLES: [(&str, &str); 3] = [
    (
        "Release checklist",
        "Run the tests, read the changelog, tag the commit, then tell the support team.",
    ),
    (
        "Support rota",
        "Monday Ada, Tuesday Grace, Wednesday Edsger, Thursday Barbara, Friday Alan.",
    ),
    (
        "Coffee machine",
        "Descale it on the first Friday of the month. The filter is in the top drawer.",
    ),
];

#[cfg(test)]
mod tests {
    use super::{MAX_NOTES, MAX_TEXT, MAX_TITLE, NoteError, Notebook};

    #[test]
    fn a_note_is_found_read_and_deleted() {
        let notebook = Notebook::with_samples();
        let added = notebook.add("Lunch".to_owned(), "Soup".to_owned()).unwrap();
        assert_eq!(notebook.search("sOUp"), std::slice::from_ref(&added));
        assert_eq!(notebook.read(added.id), Ok(added.clone()));
        assert_eq!(notebook.delete(added.id), Ok(added.clone()));
        assert_eq!(
            notebook.read(added.id),
            Err(NoteError::Missing { id: added.id })
        );
        assert_eq!(
            notebook.delete(added.id),
            Err(NoteError::Missing { id: added.id })
        );
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let notebook = Notebook::with_samples();
        let first = notebook.add("a".to_owned(), String::new()).unwrap();
        notebook.delete(first.id).unwrap();
        assert_ne!(
            notebook.add("b".to_owned(), String::new()).unwrap().id,
            first.id
        );
    }

    #[test]
    fn a_note_too_large_and_a_note_too_many_are_refused() {
        let notebook = Notebook::with_samples();
        assert_eq!(
            notebook.add(String::new(), String::new()),
            Err(NoteError::Size)
        );
        assert_eq!(
            notebook.add("a".repeat(MAX_TITLE + 1), String::new()),
            Err(NoteError::Size)
        );
        assert_eq!(
            notebook.add("a".to_owned(), "a".repeat(MAX_TEXT + 1)),
            Err(NoteError::Size)
        );
        for _ in notebook.all().len()..MAX_NOTES {
            notebook.add("a".to_owned(), String::new()).unwrap();
        }
        assert_eq!(
            notebook.add("a".to_owned(), String::new()),
            Err(NoteError::Full)
        );
    }
}
