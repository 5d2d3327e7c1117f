//! The words every layer shares: names, reasons, time, digests, secrets. No I/O but the clock.

pub mod agent_model;
pub mod digest;
pub mod name;
pub mod reason;
pub mod secret;
pub mod time;

pub use agent_model::AgentModel;
pub use digest::Digest;
pub use name::{IssuerUrl, RoleName, ServerName};
pub use reason::Reason;
pub use secret::Secret;
pub use time::{Clock, SystemClock, UnixTime};
