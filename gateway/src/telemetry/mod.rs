//! What an operator sees of the gateway: metrics and the log. Decides nothing and keeps no record.

pub mod logs;
pub mod metrics;

pub use metrics::{Challenge, Ending, MetricError, Metrics, Scheme, ServerMetrics, Unwelcome};
