//! The record.
pub mod settings;
