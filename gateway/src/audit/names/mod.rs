//! How records name persons where they must not say who they are: by a pseudonym, of which a book beside the ledger knows
//! the meaning until it is erased. Never writes a record.

mod alias;
mod book;
mod error;
mod opener;

pub use alias::{Alias, Names};
pub use book::{Book, place};
pub use error::BookError;
pub use opener::Opener;

#[cfg(test)]
mod tests;
