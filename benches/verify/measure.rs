//! Times something many times. The median of several rounds is robust against whatever else the machine does.

use std::time::{Duration, Instant};

/// What one run takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost(Duration);

impl Cost {
    pub(crate) fn micros(self) -> f64 {
        self.0.as_secs_f64() * 1e6
    }
}

/// Runs `work` with 0, 1, 2 … in rounds of `batch`, after one round to warm up. Every run must succeed.
pub(crate) async fn cost<F: Future<Output = bool>>(
    rounds: usize,
    batch: usize,
    work: impl Fn(usize) -> F,
) -> Result<Cost, Box<dyn std::error::Error>> {
    let mut taken = Vec::with_capacity(rounds);
    let mut number = 0;
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..batch {
            if !work(number).await {
                return Err(format!("run {number} was refused").into());
            }
            number += 1;
        }
        if round > 0 {
            taken.push(started.elapsed());
        }
    }
    taken.sort_unstable();
    let median = taken.get(taken.len() / 2).copied().unwrap_or_default();
    let batch = u32::try_from(batch)?;
    Ok(Cost(median / batch))
}
