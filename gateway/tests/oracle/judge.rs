//! One input against the oracle and against every modelled reader. Never looks at how the gateway came to its answer.

use gatewright_policies::PolicySet;

use super::heads::{legacy, mirrored};
use super::model::{Deed, Head, allowed};
use super::readers::every_model_agrees;
use super::rules::may;
use super::subject::forwarded;

/// The first byte says which headers there are, the rest is the body.
pub(crate) fn input(bytes: &[u8], table: &PolicySet) -> Option<Deed> {
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
fn lines(text: &[u8], table: &PolicySet) -> Option<Deed> {
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
pub(crate) fn message(body: &[u8], head: &Head, table: &PolicySet) -> Option<Deed> {
    let deed = forwarded(body, head, table)?;
    assert_eq!(
        allowed(body, head, may).as_ref(),
        Some(&deed),
        "the oracle does not allow {:?} under {head:?}",
        String::from_utf8_lossy(body)
    );
    every_model_agrees(&deed, body);
    Some(deed)
}
