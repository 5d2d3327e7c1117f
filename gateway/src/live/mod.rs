//! What is refreshed in the background: the last good value with its age. Never fetches anything itself.

mod snapshot;

pub use snapshot::{Live, Snapshot};
