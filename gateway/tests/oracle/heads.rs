//! The headers of honest clients. Never those of liars: these are written where they are tried.

use super::model::{Head, base64};
use super::readers::{Keys, Wins, reading};

/// Before 2026-07-28.
pub(crate) fn legacy() -> Head {
    Head {
        version: Some("2025-11-25".into()),
        ..Head::default()
    }
}

/// The headers that an honest client of 2026-07-28 would send with these bytes.
pub(crate) fn mirrored(body: &[u8]) -> Head {
    let read = reading(body, (Keys::Exact, Wins::Last)).unwrap_or_default();
    let name = read.names().first().map(|name| (*name).to_owned());
    let name = name.or(read.task).map(|name| {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && !name.starts_with("=?") {
            name
        } else {
            format!("=?base64?{}?=", base64(name.as_bytes()))
        }
    });
    Head {
        version: Some("2026-07-28".into()),
        method: read.method,
        name,
    }
}
