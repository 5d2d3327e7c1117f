//! `gatewright audit rotate-key`: asks a running gateway for a new checkpoint key. Never touches a key itself: only the writer of
//! the ledger can put the new key into it under the old one.

use hyper::Method;
use serde::Deserialize;

use crate::cli::{FAILED, Format, Instance, complain, instance, say};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RotateKey {
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, Deserialize)]
struct Rotated {
    key: String,
}

pub(super) fn run(rotate: RotateKey) -> u8 {
    let format = rotate.instance.output;
    let answer = match instance::send(rotate.instance, Method::POST, "/audit/rotate-key", FAILED) {
        Ok(answer) => answer,
        Err(code) => return code,
    };
    match (format, serde_json::from_str::<Rotated>(&answer)) {
        (Format::Text, Ok(rotated)) => say(&rotated.key),
        (Format::Text, Err(error)) => {
            complain(&format!("the gateway's answer cannot be read: {error}"));
            return FAILED;
        }
        (Format::Json, _) => say(&answer),
    }
    0
}
