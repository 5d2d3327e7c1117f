//! What is refreshed in the background, with its age, and what is in force until it is replaced. Never fetches anything itself.

mod reign;
mod snapshot;

pub use reign::{Ending, Reign, Until};
pub use snapshot::{Live, Snapshot};
