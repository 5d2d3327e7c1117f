//! `gatewright reload` and `gatewright status`: speak to a running gateway over its admin socket.

use std::path::PathBuf;

use hyper::Method;
use serde_json::Value;

use super::{FAILED, Format, INVALID, Instance, UNREACHABLE, complain, complain_of, say, talk};
use crate::config::{load, search};
use crate::control::admin::{self, CommandError};

pub(super) fn reload(instance: Instance) -> u8 {
    answer(instance, Method::POST, "/reload")
}

pub(super) fn status(instance: Instance) -> u8 {
    answer(instance, Method::GET, "/status")
}

fn answer(instance: Instance, method: Method, target: &str) -> u8 {
    let format = instance.output;
    match send(instance, method, target, INVALID) {
        Ok(answer) => {
            match (format, serde_json::from_str::<Value>(&answer)) {
                (Format::Text, Ok(value)) => lines("", &value).iter().for_each(|line| say(line)),
                (Format::Text | Format::Json, _) => say(&answer),
            }
            0
        }
        Err(code) => code,
    }
}

/// One line for each fact: its name with dots, then its value.
fn lines(name: &str, value: &Value) -> Vec<String> {
    let inner = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| lines(&inner(key), value))
            .collect(),
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered
                .flat_map(|(at, item)| lines(&format!("{name}[{at}]"), item))
                .collect()
        }
        Value::String(text) => vec![format!("{name:<32} {text}")],
        Value::Null => vec![format!("{name:<32} -")],
        Value::Bool(_) | Value::Number(_) => vec![format!("{name:<32} {value}")],
    }
}

/// What the gateway answers, or the exit code when it does not; `refused` is that of a refusal.
pub(super) fn send(
    instance: Instance,
    method: Method,
    target: &str,
    refused: u8,
) -> Result<String, u8> {
    let socket = socket(instance)?;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        complain(&"cannot start the runtime");
        return Err(FAILED);
    };
    let sent = runtime.block_on(admin::command(&socket, method, target));
    sent.map_err(|error| match error {
        CommandError::Unreachable { .. } => {
            complain_of(&error);
            UNREACHABLE
        }
        CommandError::Refused(why) => {
            talk(&why);
            refused
        }
    })
}

/// The named socket, or the one of the configuration.
fn socket(instance: Instance) -> Result<PathBuf, u8> {
    if let Some(socket) = instance.socket {
        return Ok(socket);
    }
    let path = search::find(instance.config, &search::process_environment).map_err(|nothing| {
        complain(&nothing);
        INVALID
    })?;
    // Whether the tests of the policy pass is for the gateway to say.
    match load::load_untested(&path, &search::process_environment) {
        Ok(loaded) => loaded.settings.admin.ok_or_else(|| {
            complain(&format!("{} names no admin socket", path.display()));
            INVALID
        }),
        Err(mistakes) => {
            talk(&format!(
                "{mistakes}\n\nname the gateway's socket with `--socket` instead"
            ));
            Err(INVALID)
        }
    }
}
