//! The edge: pingora is named here, in `app.rs`, and where an upstream's peer is prepared. A request comes in as bytes and leaves as a permitted
//! request or as a recorded refusal.

mod admit;
mod answer;
mod asker;
mod body;
mod certificate;
mod challenge;
mod counting;
mod curfew;
mod deprecation;
mod exchange;
mod farewell;
mod finish;
pub mod floods;
mod flow;
mod forward;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guard;
mod head;
pub mod inflight;
mod keep;
pub mod leave;
pub mod listen;
pub mod load;
mod observe;
pub mod origin;
mod parting;
mod pins;
pub mod places;
pub mod progress;
mod refuse;
mod response;
pub mod route;
pub mod service;
pub mod services;
pub mod session;
mod shelf;
mod standing;
pub mod tasks;
pub mod throttle;
pub mod tls;
mod trim;
mod unproven;
mod vigil;
mod wellknown;
