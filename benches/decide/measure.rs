//! Times something many times. The median of several rounds is robust against whatever else the machine does.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// What one run takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    round: Duration,
    batch: u32,
}

impl Cost {
    pub(crate) fn nanos(self) -> f64 {
        self.round.as_secs_f64() * 1e9 / f64::from(self.batch)
    }
}

/// Runs `work` in rounds of `batch`, after one round to warm up. Every run must succeed.
pub(crate) fn cost(
    rounds: usize,
    batch: usize,
    work: impl Fn() -> bool,
) -> Result<Cost, Box<dyn std::error::Error>> {
    let mut taken = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..batch {
            if !black_box(&work)() {
                return Err("a decision was not to allow".into());
            }
        }
        if round > 0 {
            taken.push(started.elapsed());
        }
    }
    taken.sort_unstable();
    Ok(Cost {
        round: taken.get(taken.len() / 2).copied().unwrap_or_default(),
        batch: u32::try_from(batch)?,
    })
}
