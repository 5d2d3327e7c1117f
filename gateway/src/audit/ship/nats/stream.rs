//! The stream that takes the records: looked for on each new connection, made only where the configuration says so.

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{Context, ErrorCode};

use super::link::last_cause;
use crate::audit::ship::settings::{MissingStream, NatsSettings};
use crate::audit::ship::shipper::ShipError;

/// Makes sure that there is one.
pub(super) async fn find(context: &Context, settings: &NatsSettings) -> Result<(), ShipError> {
    let Err(error) = context.get_stream(&settings.stream).await else {
        return Ok(());
    };
    let is_missing = match error.kind() {
        GetStreamErrorKind::JetStream(said) => said.error_code() == ErrorCode::STREAM_NOT_FOUND,
        GetStreamErrorKind::Request => {
            return Err(ShipError::Unreachable(last_cause(&error)));
        }
        GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => false,
    };
    match settings.missing {
        MissingStream::Made if is_missing => make(context, settings).await,
        MissingStream::Made | MissingStream::Waited if !is_missing => {
            Err(ShipError::Refused(last_cause(&error)))
        }
        MissingStream::Made | MissingStream::Waited => {
            Err(ShipError::Refused("the stream does not exist".to_owned()))
        }
    }
}

/// A stream from which nobody can take a record out.
async fn make(context: &Context, settings: &NatsSettings) -> Result<(), ShipError> {
    let config = Config {
        name: settings.stream.clone(),
        subjects: vec![settings.subject.clone()],
        storage: StorageType::File,
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    };
    let made = context.create_stream(config).await;
    made.map(drop)
        .map_err(|error| ShipError::Refused(last_cause(&error)))
}
