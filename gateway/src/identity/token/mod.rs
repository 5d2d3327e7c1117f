//! From the text of a token to a proven one. Nothing here grants anything.

pub(super) mod claims;
pub(super) mod json;
pub(super) mod jwt;
pub(super) mod memo;
pub(super) mod ring_provider;
pub(super) mod verified;
