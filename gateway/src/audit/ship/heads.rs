//! How far a ledger is written, as its files say: for as long as nobody says it who writes them.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use super::line::Place;
use super::settings::Bounds;
use super::tail::Tail;
use crate::audit::sealing::Head;

/// Looks at the files in `directories` now and then, until nobody asks any more.
pub(crate) fn watch(directories: Vec<PathBuf>) -> watch::Receiver<Head> {
    let (told, heads) = watch::channel(Head::START);
    tokio::spawn(async move {
        let mut tail = Tail::new(directories, None);
        loop {
            let looked = tokio::task::spawn_blocking(move || {
                let end = end(&mut tail);
                (tail, end)
            });
            let Ok((kept, end)) = looked.await else {
                return;
            };
            tail = kept;
            if let Ok(Some(place)) = end {
                let hash = Head::START.hash;
                told.send_replace(Head {
                    seq: place.seq,
                    hash,
                });
            }
            tokio::select! {
                () = told.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    heads
}

fn end(tail: &mut Tail) -> io::Result<Option<Place>> {
    let mut found = None;
    while let Some(last) = tail.read(ALL, u64::MAX)?.pop() {
        found = Some(last.place);
    }
    Ok(found)
}

const LOOK: Duration = Duration::from_millis(200);
const ALL: Bounds = Bounds {
    lines: 10_000,
    bytes: 4 << 20,
};
