//! Shipping: whole records are read from the ledger's files and brought to where people keep such things, each sink at
//! its own pace. Never stands between a request and its record, never changes a line.

mod courier;
mod cursor;
mod http;
mod line;
mod nats;
mod otlp;
mod pace;
mod post;
pub mod settings;
mod shipper;
mod shipping;
mod standing;
mod stdout;
mod tail;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod support;

pub(crate) use courier::{Report, Tiding};
pub(crate) use shipper::FailureKind;
pub use shipping::NoShipper;
pub(crate) use shipping::{Shipping, Source};
pub(crate) use standing::SinkStanding;
