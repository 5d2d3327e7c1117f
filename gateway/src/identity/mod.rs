//! Who is calling.
pub mod settings;
