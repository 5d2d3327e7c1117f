//! What fuzzing does with answers of servers. Never part of a gateway that serves.

use std::time::Instant;

use super::asks::Ask;
use super::call::RequestId;
use super::judge::{Exchange, Judge, Purpose};
use super::listing::{Item, Kind, Listing};
use super::method::Method;
use super::seen::{Onward, Seen};
use super::stream::SseFilter;
use super::version::Era;
use super::weigh::{Standing, Weighed, weigh_body};

/// Shows what is called open, and lets everything else pass.
#[derive(Debug, Default)]
pub struct Open {
    /// How many messages were dropped.
    pub dropped: usize,
}

impl Judge for Open {
    fn shows(&mut self, _: Listing, item: Item<'_>) -> bool {
        item.name.starts_with("open")
    }

    fn passes(&mut self, _: &Seen<'_>) -> Onward {
        Onward::Pass
    }

    fn permits(&mut self, ask: &Ask) -> bool {
        *ask == Ask::Page(Some("open.test".into()))
    }

    fn dropped(&mut self, _: Kind) {
        self.dropped += 1;
    }
}

/// An exchange of a request with the id 1.
pub fn exchange(era: Era, listing: Option<Listing>) -> Option<Exchange> {
    let id = RequestId::from_token("1")?;
    let purpose = match listing {
        Some(listing) => Purpose::List { listing, id },
        None => Purpose::Call {
            method: Method::ToolsCall,
            id,
        },
    };
    Some(Exchange {
        era,
        longest_ttl: 1000,
        purpose,
    })
}

/// Takes any stream, cut at the first byte's count. However it is cut, the same passes, and what passes is read again
/// without a change. Says whether it could be read.
pub fn sse(bytes: &[u8]) -> bool {
    let Some((size, stream)) = bytes.split_first() else {
        return false;
    };
    let mut is_read = false;
    for era in [Era::Legacy, Era::Modern] {
        for listing in [None, Some(Listing::Tools)] {
            let whole = filtered(stream, stream.len().max(1), era, listing);
            let cut = filtered(stream, usize::from(*size).max(1), era, listing);
            assert_eq!(whole, cut, "the cut changes what passes");
            let (is_good, passed) = whole;
            let (is_good_again, again) = filtered(&passed, passed.len().max(1), era, listing);
            assert!(is_good_again || !is_good, "what passed is not read again");
            assert!(!is_good || again == passed, "what passed changes");
            is_read |= is_good;
        }
    }
    is_read
}

fn filtered(stream: &[u8], size: usize, era: Era, listing: Option<Listing>) -> (bool, Vec<u8>) {
    let mut out = Vec::new();
    let Some(exchange) = exchange(era, listing) else {
        return (false, out);
    };
    let mut filter = SseFilter::new(exchange, 64 * 1024);
    let (mut open, now) = (Open::default(), Instant::now());
    let mut pieces = stream.chunks(size);
    let is_good = pieces.all(|piece| filter.push(piece, now, &mut open, &mut out).is_ok())
        && filter.finish(now, &mut open, &mut out).is_ok();
    (is_good, out)
}

/// Takes any body for the answer to a list. What passes has no item that is not open, and passes again unchanged. Says
/// whether it passed.
pub fn listing(body: &[u8]) -> bool {
    let mut has_passed = false;
    for era in [Era::Legacy, Era::Modern] {
        for listing in Listing::ALL {
            let Some(passed) = weighed(body, era, listing) else {
                continue;
            };
            has_passed = true;
            assert!(passed.iter().all(|byte| (0x20..=0x7e).contains(byte)));
            let again = weighed(&passed, era, listing);
            assert_eq!(again.as_ref(), Some(&passed), "what passed changes");
            let value: serde_json::Value = serde_json::from_slice(&passed).unwrap_or_default();
            let items = value.pointer(&format!("/result/{}", listing.member()));
            let items = items.and_then(serde_json::Value::as_array);
            for item in items.into_iter().flatten() {
                let name = item.get(listing.key()).and_then(serde_json::Value::as_str);
                assert!(name.is_some_and(|name| name.starts_with("open")));
            }
        }
    }
    has_passed
}

/// A list as it would be passed on; an error of the server passes as it is.
fn weighed(body: &[u8], era: Era, listing: Listing) -> Option<Vec<u8>> {
    let exchange = exchange(era, Some(listing))?;
    match weigh_body(body, Standing::Answer, &exchange, &mut Open::default()).ok()? {
        Weighed::Rewritten { message, .. } => Some(message),
        Weighed::Pass(_) | Weighed::Drop => None,
    }
}
