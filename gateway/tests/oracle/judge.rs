//! One input against the oracle and against every modelled reader. Never looks at how the gateway came to its answer.

use gatewright_policies::RoleTable;

use crate::model::{Deed, Head, allowed, base64};
use crate::readers::{Keys, MODELS, Reading, Wins, reading};
use crate::subject::{forwarded, may};

/// The first byte says which headers there are, the rest is the body.
pub(crate) fn input(bytes: &[u8], table: &RoleTable) -> Option<Deed> {
    let (first, body) = bytes.split_first()?;
    let head = match first % 4 {
        0 => legacy(),
        1 => Head::default(),
        2 => mirrored(body),
        _ => return lines(body, table),
    };
    message(body, &head, table)
}

/// The headers stand in front of the body, one a line.
fn lines(text: &[u8], table: &RoleTable) -> Option<Deed> {
    let mut parts = text.splitn(4, |byte| *byte == b'\n');
    let mut line = || {
        parts
            .next()
            .map(|line| String::from_utf8_lossy(line).into())
    };
    let head = Head {
        version: line(),
        method: line(),
        name: line(),
    };
    message(parts.next()?, &head, table)
}

/// What the gateway sends on is what the oracle allows, and every reader reads just that.
pub(crate) fn message(body: &[u8], head: &Head, table: &RoleTable) -> Option<Deed> {
    let deed = forwarded(body, head, table)?;
    assert_eq!(
        allowed(body, head, may).as_ref(),
        Some(&deed),
        "the oracle does not allow {:?} under {head:?}",
        String::from_utf8_lossy(body)
    );
    for model in MODELS {
        let read = reading(body, model).expect("what is sent on is JSON");
        agree(&deed, &read, &format!("{model:?}"), body);
    }
    Some(deed)
}

/// The reader reads the same method, and the same names where the method has one.
pub(crate) fn agree(deed: &Deed, read: &Reading, who: &str, body: &[u8]) {
    let body = String::from_utf8_lossy(body);
    assert_eq!(read.method.as_ref(), Some(&deed.method), "{who}: {body}");
    if deed.method != "subscriptions/listen" {
        assert_eq!(read.names(), deed.names, "{who}: {body}");
    }
}

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
