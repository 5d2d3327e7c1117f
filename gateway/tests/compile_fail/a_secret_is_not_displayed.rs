//! A secret has no text form.
use gatewright::model::Secret;

pub fn debug(secret: &Secret<String>) -> String {
    format!("{secret:?}")
}

pub fn display(secret: &Secret<String>) -> String { format!("{secret}") } //~ E0277
