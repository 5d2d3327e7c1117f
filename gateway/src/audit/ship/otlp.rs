//! Records as OTLP logs, by POST in the JSON encoding of the protocol. Each log record carries its line as it stands.

use async_trait::async_trait;
use serde::Deserialize;

use super::line::Line;
use super::post::Poster;
use super::settings::HttpSettings;
use super::shipper::{Receipt, ShipError, Shipper};

mod attribute;
mod record;

/// A collector of OTLP logs.
pub(super) struct Otlp(Poster);

impl Otlp {
    /// Prepares requests. The error says why there can be none.
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, String> {
        Poster::new(settings, "application/json").map(Self)
    }
}

#[async_trait]
impl Shipper for Otlp {
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError> {
        let answer = self.0.post(record::request(batch).into()).await?;
        Ok(Receipt {
            rejected: rejected(&answer),
        })
    }
}

/// `ExportLogsServiceResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    partial_success: Option<PartialSuccess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSuccess {
    rejected_log_records: Option<Count>,
}

/// A 64-bit integer of the JSON encoding is a string; not every collector knows.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Text(String),
}

/// How many records a collector that took the request threw away. They must not be sent again (OTLP 1.0, partial
/// success). An answer that cannot be read says nothing.
fn rejected(answer: &[u8]) -> u64 {
    let exported = serde_json::from_slice::<Exported>(answer).ok();
    let partial = exported.and_then(|exported| exported.partial_success);
    match partial.and_then(|partial| partial.rejected_log_records) {
        Some(Count::Number(count)) => count,
        Some(Count::Text(count)) => count.parse().unwrap_or_default(),
        None => 0,
    }
}

#[cfg(test)]
mod tests;
