//! Batches of JSON lines to a collector by POST. The lines are those of the ledger, byte for byte.

use async_trait::async_trait;
use bytes::{BufMut, BytesMut};

use super::line::Line;
use super::post::Poster;
use super::settings::HttpSettings;
use super::shipper::{Receipt, ShipError, Shipper};

/// A collector of JSON lines.
pub(super) struct Http(Poster);

impl Http {
    /// Prepares requests. The error says why there can be none.
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, String> {
        Poster::new(settings, "application/x-ndjson").map(Self)
    }
}

#[async_trait]
impl Shipper for Http {
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError> {
        let mut body = BytesMut::new();
        for line in batch {
            body.extend_from_slice(&line.bytes);
            body.put_u8(b'\n');
        }
        self.0.post(body.freeze()).await?;
        Ok(Receipt::default())
    }
}
