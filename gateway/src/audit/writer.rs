//! The thread that writes. Never gives up lines that it took.

use std::time::Duration;

use super::lane::{Lane, Taken};
use super::line::Lines;
use super::store::{KEPT, Store};

/// Writes what comes through `lane` into `store` until the lane is closed and empty.
pub(super) fn run(lane: &Lane, mut store: Store) {
    let _gone = Gone(lane);
    let mut lines = Lines::default();
    loop {
        match lane.take(&mut lines, PATIENCE) {
            Taken::Batch(batch) => {
                if !keep(lane, &mut store, &lines) {
                    return;
                }
                let outage = lane.written(&batch);
                lines.clear(KEPT);
                store.tell_of(outage);
                store.attend();
            }
            Taken::Nothing => match store.idle() {
                Ok(()) => store.tell_of(lane.mended()),
                Err(error) => lane.failed(error.kind()),
            },
            // The process ends: there is nobody left to tell if the disk fails now.
            Taken::Closed => return store.close(),
        }
    }
}

/// Tries until `lines` are written. Not so when the lane closed and they still could not be.
fn keep(lane: &Lane, store: &mut Store, lines: &Lines) -> bool {
    let mut tries_left = true;
    while let Err(error) = store.write(lines) {
        lane.failed(error.kind());
        if !tries_left {
            return false;
        }
        tries_left = lane.pause(RETRY);
    }
    true
}

/// Tells the lane when the thread ends, however it ends.
struct Gone<'a>(&'a Lane);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.writer_gone();
    }
}

const RETRY: Duration = Duration::from_millis(250);
/// How long the writer waits for records before it looks after the segment.
const PATIENCE: Duration = Duration::from_secs(1);
