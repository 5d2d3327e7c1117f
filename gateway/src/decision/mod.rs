//! May this call pass: from a principal and a call to a permit, or to a refusal that is on record.

pub mod circumstance;
mod describe;
pub mod freshness;
pub mod gate;
pub mod mode;
pub mod pins;
pub mod record;
pub mod tally;
pub mod verdict;

pub use circumstance::{Action, Circumstance, Request};
pub use gate::Gate;
pub use mode::Mode;
pub use record::{Ended, Permit, Refusal};
pub use verdict::Verdict;
