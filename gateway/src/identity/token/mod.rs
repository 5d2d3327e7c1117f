//! From the text of a token to a proven one. Nothing here grants anything.

pub(super) mod checks;
pub(super) mod claims;
pub(super) mod introspect;
pub(super) mod json;
pub(super) mod jws;
pub(super) mod jwt;
pub(super) mod memo;
pub(super) mod opaque;
pub(super) mod shown;
pub(super) mod verified;
