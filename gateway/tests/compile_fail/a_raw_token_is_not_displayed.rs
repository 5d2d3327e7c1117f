//! A token as it was sent has no text form.
use gatewright::identity::credential::RawToken;

pub fn debug(token: &RawToken) -> String {
    format!("{token:?}")
}

pub fn display(token: &RawToken) -> String { format!("{token}") } //~ E0277
