//! The pins of one server as requests and operators meet them: what is in memory, and how it gets to the disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_policies::Annotations;

use super::book::{Approved, Book, Drift, Entry, Kept, Sight};
use super::error::PinError;
use super::file;
use super::keeper::Bell;
use crate::model::{ServerName, UnixTime};

/// What happens when a tool is not what it was when it was first seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pins {
    /// Nothing: nothing is remembered.
    #[default]
    Off,
    /// It is recorded and counted.
    Warn,
    /// Besides, the tool is withheld until somebody approves what it has become.
    Block,
}

impl Pins {
    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// What is to be done about a tool that was seen in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Seen {
    /// Whether the list may show it.
    pub is_shown: bool,
    /// What somebody must be told.
    pub news: News,
}

/// What somebody must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// The tool changed.
    Drift(Drift),
    /// The tool cannot be pinned. Told once.
    Unpinnable,
}

/// The pins of one server.
#[derive(Debug)]
pub struct ServerPins {
    server: ServerName,
    path: PathBuf,
    state: Mutex<State>,
    /// Held by whoever writes the file.
    writing: Mutex<()>,
    bell: Arc<Bell>,
}

#[derive(Debug)]
struct State {
    mode: Pins,
    book: Book,
    /// Whether it was told that a tool cannot be pinned.
    is_full_told: bool,
}

impl ServerPins {
    pub(super) fn read(
        server: ServerName,
        path: PathBuf,
        bell: Arc<Bell>,
    ) -> Result<Self, PinError> {
        let book = file::read(&path, &server)?;
        Ok(Self {
            server,
            path,
            state: Mutex::new(State {
                mode: Pins::Off,
                book,
                is_full_told: false,
            }),
            writing: Mutex::default(),
            bell,
        })
    }

    /// The server.
    pub const fn server(&self) -> &ServerName {
        &self.server
    }

    /// What happens to a tool that changed.
    pub fn mode(&self) -> Pins {
        self.state().mode
    }

    /// From now on, in streams that are open too, this happens to a tool that changed.
    pub fn set_mode(&self, mode: Pins) {
        self.state().mode = mode;
    }

    /// A tool was seen in a list: `item` is what its server wrote.
    pub fn see(&self, tool: &str, item: &str, at: UnixTime) -> Seen {
        let mut state = self.state();
        if state.mode == Pins::Off {
            return Seen {
                is_shown: true,
                news: News::None,
            };
        }
        let sight = state.book.see(tool, item, at);
        let (is_right, news) = match sight {
            Sight::Same => (true, News::None),
            Sight::Changed(drift) => (false, drift.map_or(News::None, News::Drift)),
            Sight::Unknown if std::mem::replace(&mut state.is_full_told, true) => {
                (false, News::None)
            }
            Sight::Unknown => (false, News::Unpinnable),
        };
        let (is_shown, is_dirty) = (is_right || state.mode != Pins::Block, state.book.is_dirty);
        drop(state);
        if is_dirty {
            self.bell.ring();
        }
        Seen { is_shown, news }
    }

    /// Whether a call of this tool must be refused because of what lists showed. What a list hides a call refuses.
    pub fn withholds(&self, tool: &str) -> bool {
        let state = self.state();
        state.mode == Pins::Block && state.book.doubts(tool)
    }

    /// What a tool says of itself, as it was pinned; the worst of one that is not known, or is not what was pinned.
    pub fn annotations(&self, tool: &str) -> Annotations {
        self.state().book.annotations(tool)
    }

    /// The telling of `drift` failed: the next sight tells it.
    pub fn forget_telling(&self, tool: &str, drift: Drift) {
        self.state().book.forget_telling(tool, drift);
    }

    /// Every tool, in the order of their names.
    pub fn entries(&self) -> Vec<(Box<str>, Entry)> {
        let state = self.state();
        let entries = state.book.entries().iter();
        entries
            .map(|(tool, entry)| (tool.clone(), entry.clone()))
            .collect()
    }

    /// Pins what the tool became, at once.
    pub fn approve(&self, tool: &str, kept: &Kept, approved: Approved) {
        self.state().book.approve(tool, kept, approved);
        self.bell.ring();
    }

    /// Brings what is in memory to the disk, if it is not there. Blocks.
    ///
    /// # Errors
    /// [`PinError::File`]; it is tried again with the next change.
    pub fn save(&self) -> Result<(), PinError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let book = {
            let mut state = self.state();
            if !std::mem::take(&mut state.book.is_dirty) {
                return Ok(());
            }
            state.book.clone()
        };
        let written = file::write(&self.path, &self.server, &book);
        if written.is_err() {
            self.state().book.is_dirty = true;
        }
        written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
