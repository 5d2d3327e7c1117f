//! Records to a stream of NATS JetStream, one message each, named after the record so that the server drops what it has.
//! A message counts when the stream has acknowledged it.

use std::sync::Arc;

use async_nats::header::{HeaderMap, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::line::Line;
use super::settings::NatsSettings;
use super::shipper::{Receipt, ShipError, Shipper};
use crate::model::Digest;

mod link;
mod stream;

use link::Link;

/// A stream.
pub(super) struct Nats {
    settings: NatsSettings,
    tls: Option<Arc<rustls::ClientConfig>>,
    link: Option<Link>,
}

impl Nats {
    /// Connects to nobody yet. The error says why it never could.
    pub(super) fn new(settings: &NatsSettings) -> Result<Self, String> {
        let tls = settings
            .ca_file
            .as_deref()
            .map(link::trusting)
            .transpose()?;
        Ok(Self {
            settings: settings.clone(),
            tls: tls.map(Arc::new),
            link: None,
        })
    }

    async fn publish(&self, link: &Link, batch: &[Line]) -> Result<(), ShipError> {
        let failed = |error: PublishError| self.told(&error);
        let mut acknowledgements = Vec::with_capacity(batch.len());
        for line in batch {
            let published = link.context.publish_with_headers(
                self.settings.subject.clone(),
                headers(line, &self.settings.stream),
                line.bytes.clone(),
            );
            acknowledgements.push(published.await.map_err(failed)?);
        }
        let all = acknowledgements.into_iter().map(IntoFuture::into_future);
        try_join_all(all).await.map(drop).map_err(failed)
    }

    fn told(&self, error: &PublishError) -> ShipError {
        let said = |error: &PublishError| ShipError::Refused(link::last_cause(error));
        match error.kind() {
            PublishErrorKind::TimedOut => ShipError::TimedOut(self.settings.timeout),
            PublishErrorKind::BrokenPipe => {
                ShipError::Unreachable("the connection broke".to_owned())
            }
            PublishErrorKind::StreamNotFound => {
                ShipError::Refused("no stream takes the subject".to_owned())
            }
            PublishErrorKind::MaxPayloadExceeded => {
                ShipError::Refused("a record is larger than the server takes".to_owned())
            }
            PublishErrorKind::MaxAckPending
            | PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::Other => said(error),
        }
    }
}

#[async_trait]
impl Shipper for Nats {
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => Link::open(&self.settings, self.tls.as_deref()).await?,
        };
        let broken = link.broken();
        tokio::select! {
            published = self.publish(&link, batch) => published?,
            () = broken => return Err(ShipError::Unreachable("the connection broke".to_owned())),
        }
        // Only a link over which everything went well is used again: what another one still holds must not arrive
        // after what is sent anew, or the order would be lost.
        self.link = Some(link);
        Ok(Receipt::default())
    }
}

/// The name that the server knows duplicates by, and the stream that it must be.
fn headers(line: &Line, stream: &str) -> HeaderMap {
    let name = match &line.event_id {
        Some(id) => id.to_string(),
        None => Digest::of(&line.bytes).to_string(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, name.as_str());
    headers.insert(NATS_EXPECTED_STREAM, stream);
    headers
}

#[cfg(test)]
mod tests;
