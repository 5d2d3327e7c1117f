//! The names of tools that may stand in a label: those of the policy and of the upstream's own lists, at most 200 a
//! server. Never a name that only a client sent.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use prometheus::{Histogram, HistogramVec};

/// The tools of one server, each with the histogram of its calls that succeeded.
#[derive(Debug)]
pub(super) struct ToolLabels {
    known: RwLock<HashMap<Box<str>, Histogram>>,
    other: Histogram,
}

impl ToolLabels {
    /// No tool yet; `other` takes the calls of all that are not known.
    pub(super) fn new(other: Histogram) -> Self {
        Self {
            known: RwLock::default(),
            other,
        }
    }

    /// From now on `tool` has a label of its own, if there is room.
    pub(super) fn learn(&self, tool: &str, calls: &HistogramVec, server: &str) {
        if tool.len() > LONGEST || self.has(tool) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST || known.contains_key(tool) {
            return;
        }
        if let Ok(histogram) = calls.get_metric_with_label_values(&[server, CALL, tool, ""]) {
            known.insert(tool.into(), histogram);
        }
    }

    /// The histogram of the successful calls of `tool`.
    pub(super) fn observe(&self, tool: &str, seconds: f64) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(tool).unwrap_or(&self.other).observe(seconds);
    }

    /// What stands for `tool` in a label.
    pub(super) fn label<'a>(&self, tool: &'a str) -> &'a str {
        if self.has(tool) { tool } else { OTHER_TOOL }
    }

    fn has(&self, tool: &str) -> bool {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(tool)
    }
}

/// The method that calls a tool.
pub(super) const CALL: &str = "tools/call";
/// The tools that are not known.
pub(super) const OTHER_TOOL: &str = "_other";
/// How many tools of a server have a label.
pub(super) const MOST: usize = 200;
/// How many bytes a name may have to become a label.
const LONGEST: usize = 128;
