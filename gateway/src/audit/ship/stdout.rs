//! Lines to the standard output of this process. It may be closed, or nobody may read it: a thread of its own waits for
//! it then, and nothing else does.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::line::Line;
use super::shipper::{Receipt, ShipError, Shipper};

/// Writes through a thread.
pub(super) struct Stdout {
    jobs: mpsc::SyncSender<Job>,
    /// A batch that was handed to the thread and is not known to be written: its last record.
    pending: Option<(u64, oneshot::Receiver<io::Result<()>>)>,
}

struct Job {
    bytes: Vec<u8>,
    done: oneshot::Sender<io::Result<()>>,
}

impl Stdout {
    /// The standard output, past the buffer that the rest of the process shares.
    pub(super) fn new() -> io::Result<Self> {
        Self::over(File::from(io::stdout().as_fd().try_clone_to_owned()?))
    }

    /// Any place that takes bytes.
    pub(super) fn over(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("audit-stdout".to_owned())
            .spawn(move || write(out, &queue))?;
        Ok(Self {
            jobs,
            pending: None,
        })
    }

    fn hand_over(&self, batch: &[Line]) -> Result<oneshot::Receiver<io::Result<()>>, ShipError> {
        let mut bytes = Vec::new();
        for line in batch {
            bytes.extend_from_slice(&line.bytes);
            bytes.push(b'\n');
        }
        let (done, written) = oneshot::channel();
        // There is room: a job is handed over when the one before it has ended.
        match self.jobs.try_send(Job { bytes, done }) {
            Ok(()) => Ok(written),
            Err(_) => Err(gone()),
        }
    }
}

#[async_trait]
impl Shipper for Stdout {
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError> {
        let Some(last) = batch.last().map(|line| line.place.seq) else {
            return Ok(Receipt::default());
        };
        loop {
            let (seq, written) = match &mut self.pending {
                Some(pending) => pending,
                None => self.pending.insert((last, self.hand_over(batch)?)),
            };
            let seq = *seq;
            let Ok(ended) = tokio::time::timeout(STALLED, written).await else {
                // The thread still holds it: it is not handed over twice.
                return Err(ShipError::TimedOut(STALLED));
            };
            self.pending = None;
            match ended {
                Ok(Ok(())) if seq == last => return Ok(Receipt::default()),
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(ShipError::Unreachable(error.kind().to_string())),
                Err(_) => return Err(gone()),
            }
        }
    }
}

fn gone() -> ShipError {
    ShipError::Unreachable("its thread is gone".to_owned())
}

/// Writes one job after the other, until there is nobody who could send one.
fn write(mut out: impl Write, queue: &mpsc::Receiver<Job>) {
    let mut torn = false;
    for Job { bytes, done } in queue {
        let ended = end_line(&mut out, &mut torn).and_then(|()| put(&mut out, &bytes, &mut torn));
        let _ = done.send(ended);
    }
}

/// What an attempt that failed left of a line gets an end of its own: no line of ours is glued to it.
fn end_line(out: &mut impl Write, torn: &mut bool) -> io::Result<()> {
    if *torn {
        put(out, b"\n", torn)?;
    }
    Ok(())
}

fn put(out: &mut impl Write, bytes: &[u8], torn: &mut bool) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                let (written, left) = rest.split_at(count.min(rest.len()));
                *torn = written.last() != Some(&b'\n');
                rest = left;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Whoever gave us this output does not want to be waited for; the reader needs a moment all the same.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(MOMENT),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

const STALLED: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
