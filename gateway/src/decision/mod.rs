//! May this call pass: from a principal and a call to a permit, or to a refusal that is on record.

pub mod anomaly;
pub mod arguments;
pub mod circumstance;
mod describe;
pub mod disagreement;
mod facts;
pub mod freshness;
pub mod gate;
pub mod mode;
mod notice;
pub mod pins;
pub mod promotion;
pub mod record;
pub mod regime;
pub mod ruling;
pub mod tally;
pub mod tiers;
pub mod verdict;

pub use circumstance::{Action, Circumstance, Request};
pub use disagreement::Disagreements;
pub use gate::{Asked, Gate};
pub use mode::Mode;
pub use record::{Ended, Permit, Refusal};
pub use regime::{Regime, Rulebook, Zone};
pub use verdict::Verdict;
