//! What is unusual: learns of every principal what it usually does, off the path of requests, and says when it does
//! something else. Never decides about a request, never makes one wait, never remembers more than it may.

mod baseline;
mod lately;
mod learner;
mod lookout;
mod token;

pub use learner::{Finding, Learner};
pub use lookout::{Decided, Ended, Lookout, Observation};

#[cfg(test)]
mod tests;
