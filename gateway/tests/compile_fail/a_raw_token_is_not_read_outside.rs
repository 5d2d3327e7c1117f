//! The text of a token is for the verifier alone.
use gatewright::identity::credential::RawToken;

pub fn debug(token: &RawToken) -> String {
    format!("{token:?}")
}

pub fn read(token: &RawToken) -> &str { token.expose() } //~ E0624
