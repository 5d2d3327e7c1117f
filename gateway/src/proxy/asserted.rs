//! The model that a client says is behind it, from the places that the configuration names. Never an issuer's word.

use http::HeaderMap;

use crate::audit::part::ModelSource;
use crate::config::ModelPlaces;
use crate::mcp::{Message, asserted};
use crate::model::AgentModel;

/// The model that `message`, which `body` was read as, or else the head of the request names.
pub(crate) fn model(
    places: &ModelPlaces,
    headers: &HeaderMap,
    (message, body): (&Message, &[u8]),
) -> Option<(AgentModel, ModelSource)> {
    let in_meta = || {
        let meta = body.get(meta(message)?)?;
        asserted::model(str::from_utf8(meta).ok()?, places.meta.as_deref()?)
    };
    let in_header = || {
        let mut lines = headers.get_all(places.header.as_ref()?).iter();
        // Of several nobody knows which one is meant.
        match (lines.next(), lines.next()) {
            (Some(only), None) => AgentModel::named(only.to_str().ok()?.trim()),
            (Some(_), Some(_)) | (None, _) => None,
        }
    };
    let from_meta = in_meta().map(|model| (model, ModelSource::Meta));
    from_meta.or_else(|| in_header().map(|model| (model, ModelSource::Header)))
}

fn meta(message: &Message) -> Option<std::ops::Range<usize>> {
    match message {
        Message::Request(call) => call.meta.clone(),
        Message::Notification { .. } | Message::Response { .. } => None,
    }
}
