//! What an operator should hear about the end of API keys. Never reads the clock itself.

use std::time::Duration;

use crate::identity::api_key;
use crate::model::UnixTime;

use super::checked::{Server, Settings};

/// A line for each server whose keys ended or end soon, and for each key that does so before the others.
pub fn warnings(settings: &Settings, now: UnixTime) -> Vec<String> {
    let of = |server: &Server| of_server(server, now);
    settings.servers.iter().flat_map(of).collect()
}

fn of_server(server: &Server, now: UnixTime) -> Vec<String> {
    let Some(keys) = &server.audience.api_keys else {
        return Vec::new();
    };
    let name = &server.audience.server;
    let mut told: Vec<String> = Vec::new();
    let what = format!("the API keys of server `{name}`");
    told.extend(said(&what, keys.sunset, now));
    for row in &keys.rows {
        let own = api_key::sunset(row, keys);
        if own < keys.sunset {
            let what = format!("API key `{}` of server `{name}`", row.id);
            told.extend(said(&what, own, now));
        }
    }
    told
}

fn said(what: &str, sunset: UnixTime, now: UnixTime) -> Option<String> {
    if sunset <= now {
        return Some(format!(
            "{what} ended at {sunset}: requests with them are refused"
        ));
    }
    let left = sunset.since(now);
    let days = left.as_secs().div_ceil(DAY.as_secs());
    (left <= SOON).then(|| format!("{what} end at {sunset}, in {days} days at most"))
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);
