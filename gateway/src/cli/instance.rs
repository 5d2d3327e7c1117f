//! `gatewright reload` and `gatewright status`: speak to a running gateway over its admin socket.

use std::path::PathBuf;

use hyper::Method;

use super::{FAILED, INVALID, Instance, UNREACHABLE, complain, say};
use crate::config::{load, search};
use crate::control::admin::{self, CommandError};

pub(super) fn reload(instance: Instance) -> u8 {
    match send(instance, Method::POST, "/reload") {
        Ok(done) => {
            say(&done);
            0
        }
        Err(code) => code,
    }
}

pub(super) fn status(instance: Instance) -> u8 {
    match send(instance, Method::GET, "/status") {
        Ok(status) => {
            say(&status);
            0
        }
        Err(code) => code,
    }
}

fn send(instance: Instance, method: Method, target: &str) -> Result<String, u8> {
    let socket = socket(instance)?;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        complain(&"cannot start the runtime");
        return Err(FAILED);
    };
    runtime
        .block_on(admin::command(&socket, method, target))
        .map_err(|error| {
            complain(&error);
            match error {
                CommandError::Unreachable { .. } => UNREACHABLE,
                CommandError::Refused(_) => INVALID,
            }
        })
}

/// The named socket, or the one of the configuration. A file with mistakes still tells where the socket is only
/// when it loads: then it has to be named.
fn socket(instance: Instance) -> Result<PathBuf, u8> {
    if let Some(socket) = instance.socket {
        return Ok(socket);
    }
    let path = search::find(instance.configured.config, &search::process_environment).map_err(
        |nothing| {
            complain(&nothing);
            INVALID
        },
    )?;
    match load::load(&path, &search::process_environment) {
        Ok(settings) => settings.admin.ok_or_else(|| {
            complain(&format!("{} names no admin socket", path.display()));
            INVALID
        }),
        Err(mistakes) => {
            complain(&format!(
                "{mistakes}\n\nname the socket with `--socket` to reach the gateway anyway"
            ));
            Err(INVALID)
        }
    }
}
